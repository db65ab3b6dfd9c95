// Shapes in words.

/** {channels, height, width} as 5 × 5, or 3 × 5 × 5. */
export function shapeText({ channels, height, width }) {
  return channels === 1 ? `${height} × ${width}` : `${channels} × ${height} × ${width}`;
}

/** The values that sentences about a map ask for. */
export function shapeValues({ height, width }) {
  return { rows: height, columns: width };
}

/** How the output's size comes about, spelled out: ⌊(5 + 0 + 0 − 3) / 1⌋ + 1 = 3. */
export function sizeText(t, kind, { rows, columns }) {
  const same = ["size", "before", "after", "extent", "stride", "out"].every((name) => rows[name] === columns[name]);
  return t(`${kind}_size`, { sum: same ? axisText(rows) : `${axisText(rows)}; ${axisText(columns)}` });
}

function axisText({ size, before, after, extent, stride, out }) {
  const steps = `(${size} + ${before} + ${after} − ${extent}) / ${stride}`;
  const room = (size + before + after - extent) / stride;
  if (Math.floor(room) + 1 === out) return `⌊${steps}⌋ + 1 = ${out}`;
  // Ceil mode; where its last window would start beyond the picture, it is left out again.
  return Math.ceil(room) + 1 === out ? `⌈${steps}⌉ + 1 = ${out}` : `⌈${steps}⌉ = ${out}`;
}
