// Where the windows lie: back from the output at the cursor, to what its window reads, to what those outputs read.

/** The marks (see map.js) for `cursor` {stage, row, column}: {input, outputs: [one a stage]}. While the window glides to
 *  the next column, `glide` says how far it has come; while it plays, outputs after the cursor are veiled. */
export function marksOf(stages, picture, cursor, { glide, playing }) {
  const outputs = [];
  const { output } = stages[cursor.stage];
  const onwards = cursor.column + 1 < output.width ? glide : 0;
  const own = onPadded({ top: cursor.row, left: cursor.column, rows: 1, columns: 1 }, stages[cursor.stage + 1]);
  outputs[cursor.stage] = { ...own, veil: playing ? { row: own.top, column: own.left } : null };
  let read = { top: cursor.row, left: cursor.column, rows: 1, columns: 1 };
  for (let at = cursor.stage; at >= 0; at--) {
    const { plan } = stages[at];
    const source = at === 0 ? picture : stages[at - 1].output;
    const mark = windowOver(read, plan, at === cursor.stage ? onwards : 0);
    if (at === cursor.stage && (plan.rows.dilation > 1 || plan.columns.dilation > 1)) {
      mark.taps = [plan.rows.dilation, plan.columns.dilation];
    }
    if (at === 0) return { input: mark, outputs };
    outputs[at - 1] = mark;
    read = onPicture(mark, plan, source);
  }
  return { input: null, outputs };
}

// What a block of outputs reads, in cells of the padded picture before them.
function windowOver(read, { rows, columns }, glide) {
  return {
    top: read.top * rows.stride, left: (read.left + glide) * columns.stride,
    rows: (read.rows - 1) * rows.stride + rows.extent, columns: (read.columns - 1) * columns.stride + columns.extent,
  };
}

// The same block without padding: padding was made by no window.
function onPicture(mark, { rows, columns }, source) {
  const [top, left] = [Math.round(mark.top) - rows.before, Math.round(mark.left) - columns.before];
  const [first, start] = [Math.max(0, top), Math.max(0, left)];
  return {
    top: first, left: start,
    rows: Math.max(1, Math.min(source.height, top + mark.rows) - first),
    columns: Math.max(1, Math.min(source.width, left + mark.columns) - start),
  };
}

// A block of outputs in cells of the padded map that the next stage reads.
function onPadded(block, next) {
  return next ? { ...block, top: block.top + next.plan.rows.before, left: block.left + next.plan.columns.before } : block;
}
