// Numbers as people type them and as they are shown; the rules are those of convoscope/convolution/worked.py.

const LONG = 6;
const CELL = /^([+-]?(?:\d{1,18}(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d{1,3})?)(?:\/([+-]?(?:\d{1,18}(?:[.,]\d*)?|[.,]\d+)))?$/i;

/** The number in `text` (integers, decimals, fractions such as 1/9), or NaN. */
export function parseNumber(text) {
  const match = CELL.exec(text.replaceAll("−", "-").replace(/\s+/g, ""));
  if (!match) return NaN;
  const over = Number(match[1].replace(",", "."));
  const value = match[2] === undefined ? over : over / Number(match[2].replace(",", "."));
  return Number.isFinite(value) ? value : NaN;
}

/** `value` to `digits` significant digits; integers in full. */
export function shown(value, digits = 4) {
  if (value === -Infinity || Number.isNaN(value)) return "—";
  const text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

/** A whole number with its thousands set apart. */
export function counted(number) {
  return number.toLocaleString("en").replaceAll(",", "\u2009");
}

/** What is typed, as a narrow field shows it while nobody writes in it: four digits of a long number. */
export function shortened(text) {
  const value = parseNumber(text);
  if (text.length <= LONG || text.includes("/") || !Number.isFinite(value)) return text;
  const size = Math.abs(value);
  if (size > 0 && (size < 0.001 || size >= 1e5)) return value.toExponential(1);
  return String(size < 1 ? Number(value.toFixed(4)) : Number(value.toPrecision(4)));
}

/** `value` as a term or factor: negative ones in brackets. */
export function bracketed(value, digits = 4) {
  const text = shown(value, digits);
  return text.startsWith("−") ? `(${text})` : text;
}

/** Whether `shown` keeps the whole of every one of `values`, judged in their own precision: float32 if they are `single`. */
export function allExact(values, digits = 4, single = false) {
  const own = single ? Math.fround : Number;
  return values.every((value) => Number.isInteger(value) || own(Number(value.toPrecision(digits))) === own(value));
}

/** The sum's value with "=", or "≈" where something on the line was rounded to be shown, and so isn't `exact`. */
export function equals(exact, value) {
  return `${exact ? "=" : "≈"} ${shown(value, 7)}`;
}

/** A short label for a map cell: what fits in about five characters; only 0 itself is written so. */
export function brief(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || (Number.isInteger(value) && size < 1e5)) return shown(value);
  if (size >= 1e4 || size < 0.001) return value.toExponential(size < 1 ? 0 : 1).replace(".0", "").replace("e+", "e").replaceAll("-", "−");
  if (size >= 100) return shown(Math.round(value));
  if (size >= 10) return shown(Number(value.toFixed(1)));
  if (size < 0.005) return shown(value, 1);
  return shown(Number(value.toFixed(2)));
}
