// Values to colours. Signed values: blue below zero, white at zero, vermilion above, told apart by people of every
// colour vision. Unsigned values: black to white. Each colour is also told by its number beside or under it.

const BELOW = [[255, 255, 255], [158, 188, 220], [44, 104, 172]];
const ABOVE = [[255, 255, 255], [243, 183, 146], [212, 90, 34]];
const STEPS = 256;
const LARGE = 2000;
const SAMPLED = 50000;
// Where black and white have the same contrast; either side of it the better one has more than 4.5 : 1.
const EVEN = 0.179;

const signedTable = Uint32Array.from([...ramp(BELOW).reverse(), ...ramp(ABOVE).slice(1)]);
const greyTable = Uint32Array.from({ length: STEPS }, (_, level) => pack(level, level, level));

/** A scale for values from -limit to limit with zero in the middle. */
export function signedScale(limit) {
  const reach = limit > 0 ? limit : 1;
  return scale("signed", -reach, reach, signedTable);
}

/** A scale from black at `low` to white at `high`. */
export function greyScale(low, high) {
  return scale("grey", low, high > low ? high : low + 1, greyTable);
}

/** The scale that fits the values of a picture: grey for what looks like pixels, signed otherwise. */
export function scaleFor(values) {
  const [low, high] = extent(values);
  if (low >= 0) return greyScale(0, high <= 1 ? 1 : high <= 255 && high > 16 ? 255 : high);
  return signedScale(Math.max(-low, high));
}

/** How far from zero a signed scale must reach for `values`. In large maps a few extremes would leave all else white, so
 *  there the strongest half percent share the full colour. */
export function reachOf(values) {
  const [low, high] = extent(values);
  const most = Math.max(-low, high);
  if (values.length < LARGE || most === 0) return most;
  const counts = new Uint32Array(STEPS);
  const stride = Math.ceil(values.length / SAMPLED);
  for (let index = 0; index < values.length; index += stride) counts[Math.floor((Math.abs(values[index]) / most) * (STEPS - 1))] += 1;
  let left = (values.length / stride) * 0.005;
  let step = STEPS - 1;
  while (step > 0 && (left -= counts[step]) > 0) step -= 1;
  return (most * (step + 1)) / STEPS;
}

/** The least and the largest of `values`. */
export function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return values.length ? [low, high] : [0, 0];
}

// `table` holds 0xAABBGGRR, as canvases hold it on the machines there are (little-endian); value v stands at
// (v - low) · factor, rounded. A loop over many values looks there itself (see raster.js).
function scale(kind, low, high, table) {
  const factor = (table.length - 1) / (high - low);
  const packed = (value) => table[Math.max(0, Math.min(table.length - 1, Math.round((value - low) * factor)))];
  return {
    kind, low, high, table, factor, packed,
    css: (value) => css(packed(value)),
    ink: (value) => (luminance(packed(value)) > EVEN ? "#000000" : "#ffffff"),
  };
}

function pack(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

function css(colour) {
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
}

// The relative luminance of WCAG 2.2.
function luminance(colour) {
  const [red, green, blue] = [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255].map((level) => {
    const part = level / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function ramp(stops) {
  return Array.from({ length: STEPS }, (_, step) => {
    const place = (step / (STEPS - 1)) * (stops.length - 1);
    const from = Math.min(stops.length - 2, Math.floor(place));
    const mix = stops[from].map((level, part) => Math.round(level + (stops[from + 1][part] - level) * (place - from)));
    return pack(...mix);
  });
}
