// A picture's way to the network's input without a server: the same pixels as convoscope/data/decode.py and seeing.py give, to
// the last bit. Pillow resamples in whole numbers of 1/2^22; in double precision these sums are exact.

const BITS = 2 ** 22;
const FILTERS = { bicubic: [2, bicubic], lanczos: [3, lanczos] };
const BOX_SHARE = 20 / 28;

/** Bring `picture` {channels, height, width, data} of bytes to `shape` (C, H, W): its middle in those proportions, resampled. */
export function fit(picture, [channels, height, width]) {
  const scale = Math.min(picture.height / height, picture.width / width);
  const rows = cut(picture.height, scale * height);
  const columns = cut(picture.width, scale * width);
  const own = picture.height === height && picture.width === width;
  return inChannels(own ? picture : resampled(picture, rows, columns, height, width, "bicubic"), channels);
}

/** A drawing in white on black as the pictures of MNIST were made: its box shrunk, its centre of mass in the middle. */
export function centred(picture, [channels, height, width]) {
  const [rows, columns] = [inked(picture, 0), inked(picture, 1)];
  if (rows.length === 0) return fit(picture, [channels, height, width]);
  const box = boxOf(picture, rows[0], columns[0], rows.at(-1) + 1, columns.at(-1) + 1);
  const scale = (BOX_SHARE * Math.min(height, width)) / Math.max(box.height, box.width);
  const [down, across] = [box.height, box.width].map((length) => Math.max(1, round(length * scale)));
  const ink = resampled(box, [0, box.height], [0, box.width], down, across, "lanczos");
  const total = ink.data.reduce((sum, value) => sum + value, 0) || 1;
  const moments = [0, 0];
  ink.data.forEach((value, at) => {
    moments[0] += value * Math.floor(at / across);
    moments[1] += value * (at % across);
  });
  const [top, left] = [[height, down], [width, across]].map(([length, taken], axis) =>
    Math.max(0, Math.min(length - taken, round((length - 1) / 2 - moments[axis] / total))));
  const data = new Float32Array(channels * height * width);
  ink.data.forEach((value, at) => {
    const place = (top + Math.floor(at / across)) * width + left + (at % across);
    for (let channel = 0; channel < channels; channel++) data[channel * height * width + place] = value;
  });
  return { channels, height, width, data };
}

/** Bytes (C, H, W) as the network's input; `mean` and `deviation` a channel, of values from 0 to 255. */
export function scaled({ channels, data }, { mean, deviation }) {
  const size = data.length / channels;
  return Float32Array.from(data, (value, at) => (value - mean[Math.floor(at / size)]) / deviation[Math.floor(at / size)]);
}

function cut(length, taken) {
  const margin = (length - taken) / 2;
  // Pillow keeps the part that is cut out in single precision.
  return [Math.max(margin, 0), Math.min(margin + taken, length)].map(Math.fround);
}

function resampled(picture, rows, columns, height, width, filter) {
  const down = axis(rows, height, picture.height, filter);
  const across = axis(columns, width, picture.width, filter);
  const taller = picture.height > height && picture.height - height > 2 * (picture.width - width);
  return taller ? along(turned(picture, down), across) : turned(along(picture, across), down);
}

/** For each output of an axis: the first input that it reads, and its weights in whole numbers of 1/2^22. */
function axis([low, high], outputs, length, filter) {
  const [reach, curve] = FILTERS[filter];
  const scale = Math.fround(high - low) / outputs; // in single precision, as there
  const wide = Math.max(scale, 1);
  const narrow = 1 / wide; // multiplied with, as Pillow does: the last bit depends on it
  return Array.from({ length: outputs }, (_, output) => {
    const centre = low + (output + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach * wide + 0.5));
    const end = Math.min(length, Math.floor(centre + reach * wide + 0.5));
    const weights = Array.from({ length: end - first }, (_, at) => curve((at + first - centre + 0.5) * narrow));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => away((weight / total) * BITS)) };
  });
}

function along({ channels, height, width, data }, outputs) {
  const made = new Float32Array(channels * height * outputs.length);
  let to = 0;
  for (let line = 0; line < channels * height; line++) {
    for (const { first, weights } of outputs) made[to++] = byte(weights, (at) => data[line * width + first + at]);
  }
  return { channels, height, width: outputs.length, data: made };
}

function turned({ channels, height, width, data }, outputs) {
  const made = new Float32Array(channels * outputs.length * width);
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (const { first, weights } of outputs) {
      for (let column = 0; column < width; column++) {
        made[to++] = byte(weights, (at) => data[(channel * height + first + at) * width + column]);
      }
    }
  }
  return { channels, height: outputs.length, width, data: made };
}

function byte(weights, input) {
  let sum = BITS / 2;
  for (let at = 0; at < weights.length; at++) sum += weights[at] * input(at);
  return Math.max(0, Math.min(255, Math.floor(sum / BITS)));
}

function inChannels({ channels, height, width, data }, wanted) {
  if (channels === wanted) return { channels, height, width, data };
  const size = height * width;
  if (wanted === 3) return { channels: 3, height, width, data: Float32Array.from({ length: 3 * size }, (_, at) => data[at % size]) };
  const luma = (at) => Math.floor((19595 * data[at] + 38470 * data[size + at] + 7471 * data[2 * size + at] + 32768) / 65536);
  return { channels: 1, height, width, data: Float32Array.from({ length: size }, (_, at) => luma(at)) };
}

function inked({ height, width, data }, axis) {
  const found = new Set();
  data.forEach((value, at) => { if (value > 0) found.add(axis === 0 ? Math.floor(at / width) : at % width); });
  return Array.from({ length: axis === 0 ? height : width }, (_, at) => at).filter((at) => found.has(at));
}

function boxOf({ width, data }, top, left, bottom, right) {
  const [height, across] = [bottom - top, right - left];
  const inside = Float32Array.from({ length: height * across }, (_, at) => data[(top + Math.floor(at / across)) * width + left + (at % across)]);
  return { channels: 1, height, width: across, data: inside };
}

function bicubic(x) {
  const away = Math.abs(x);
  if (away < 1) return (1.5 * away - 2.5) * away * away + 1;
  return away < 2 ? (((away - 5) * away + 8) * away - 4) * -0.5 : 0;
}

function lanczos(x) {
  return x > -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** To the nearest whole number, halves to the even one. */
function round(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

/** To the nearest whole number, halves away from zero. */
function away(value) {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}
