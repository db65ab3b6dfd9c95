// Convolution and pooling, number for number what convoscope/convolution computes in Python.
//
// A picture is {channels, height, width, data}: planes one after the other, rows top to bottom.
// An axis plan says how one kernel axis walks over one picture axis; see planAxis.

import { addRow } from "./convolve_rows.js";

/** How a kernel of `kernel` taps walks over `size` pixels: {size, kernel, stride, dilation, before, after, extent, out}.
 *  padding: "valid", "same", or [before, after]. Ceil mode (pooling) lets a last window hang over the far end,
 *  as long as it starts on the picture or on the padding before it.
 *  @throws {PlanError} with a catalogue key when no such walk exists. */
export function planAxis(size, kernel, { padding = "valid", stride = 1, dilation = 1, ceil = false } = {}) {
  for (const [name, value] of [["stride", stride], ["dilation", dilation], ["kernel", kernel]]) {
    if (!Number.isInteger(value) || value < 1) throw new PlanError(name, "error_whole_positive", { value });
  }
  const extent = dilation * (kernel - 1) + 1;
  let [before, after] = [0, 0];
  if (padding === "same") {
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
    before = Math.floor(total / 2);
    after = total - before;
  } else if (padding !== "valid") {
    [before, after] = padding;
    for (const side of [before, after]) {
      if (!Number.isInteger(side) || side < 0) throw new PlanError("padding", "error_padding", { value: side });
    }
  }
  const room = size + before + after - extent;
  const up = ceil && padding !== "same";
  let out = (up ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  if (up && (out - 1) * stride >= size + before) out -= 1;
  if (out < 1) throw new PlanError("kernel", "error_kernel_large", { extent, padded: size + before + after });
  return { size, kernel, stride, dilation, before, after, extent, out };
}

/** A setting that no walk fits: `field` is the control it belongs to, `key` the sentence. */
export class PlanError extends Error {
  constructor(field, key, values) {
    super(key);
    this.field = field;
    this.key = key;
    this.values = values;
  }
}

/** Pixels along an axis: the padded picture, or further where a last window of ceil mode hangs over. */
export function span(plan) {
  return Math.max(plan.before + plan.size + plan.after, (plan.out - 1) * plan.stride + plan.extent);
}

/** Which of the `size` pixels some window reads; the rest are ignored. */
export function readPixels(plan) {
  const read = new Uint8Array(plan.size);
  for (let index = 0; index < plan.out; index++) {
    for (let tap = 0; tap < plan.kernel; tap++) {
      const at = index * plan.stride - plan.before + tap * plan.dilation;
      if (at >= 0 && at < plan.size) read[at] = 1;
    }
  }
  return read;
}

/** Cross-correlate. `kernel` is {filters, channels, height, width, data} with channels = picture's / groups; a kernel of
 *  one channel serves all of a filter's. With `each`, the one filter goes over every picture channel by itself. */
export function convolve(picture, kernel, plan, { bias = null, each = false, groups = 1, padded = null } = {}) {
  const source = padded ?? pad(picture, plan);
  const { rows, columns } = plan;
  const maps = each ? picture.channels : kernel.filters;
  const output = emptyPicture(maps, rows.out, columns.out);
  const sums = new Float64Array(columns.out);
  for (let map = 0; map < maps; map++) {
    const { filter, first, count } = readBy(map, picture, kernel, { each, groups });
    for (let row = 0; row < rows.out; row++) {
      sums.fill(bias ? bias[filter] : 0);
      for (let channel = 0; channel < count; channel++) {
        const slice = kernel.channels === 1 ? 0 : channel;
        for (let tap = 0; tap < kernel.height; tap++) {
          const y = row * rows.stride + tap * rows.dilation;
          const weights = ((filter * kernel.channels + slice) * kernel.height + tap) * kernel.width;
          addRow(sums, source.data, ((first + channel) * source.height + y) * source.width, kernel, weights, columns);
        }
      }
      output.data.set(sums, (map * rows.out + row) * columns.out);
    }
  }
  return output;
}

/** What output map `map` reads: its {filter}, and `count` picture channels from `first` on. */
export function readBy(map, picture, kernel, { each = false, groups = 1 } = {}) {
  if (each) return { filter: 0, first: map, count: 1 };
  const count = picture.channels / groups;
  return { filter: map, first: Math.floor(map / (kernel.filters / groups)) * count, count };
}

/** Max or average pooling, channel by channel. Padding never wins a maximum; averages count it only if `countPad`. */
export function pool(picture, kind, plan, { countPad = false } = {}) {
  const { rows, columns } = plan;
  const output = emptyPicture(picture.channels, rows.out, columns.out);
  let next = 0;
  for (let channel = 0; channel < picture.channels; channel++) {
    const plane = channel * picture.height * picture.width;
    for (let row = 0; row < rows.out; row++) {
      for (let column = 0; column < columns.out; column++) {
        output.data[next++] = poolOne(picture, plane, kind, plan, row, column, countPad);
      }
    }
  }
  return output;
}

function poolOne(picture, plane, kind, { rows, columns }, row, column, countPad) {
  const top = row * rows.stride - rows.before;
  const left = column * columns.stride - columns.before;
  let best = -Infinity;
  let sum = 0;
  let inside = 0;
  for (let i = 0; i < rows.kernel; i++) {
    const y = top + i * rows.dilation;
    if (y < 0 || y >= picture.height) continue;
    for (let j = 0; j < columns.kernel; j++) {
      const x = left + j * columns.dilation;
      if (x < 0 || x >= picture.width) continue;
      const value = picture.data[plane + y * picture.width + x];
      if (value > best) best = value;
      sum += value;
      inside += 1;
    }
  }
  const counted = kind === "avg" && countPad ? tapsWithin(rows, top) * tapsWithin(columns, left) : inside;
  if (counted === 0) throw new PlanError("pool-padding", "error_only_padding", {});
  return kind === "max" ? best : sum / counted;
}

// Taps on the picture or its padding; a window of ceil mode may hang over the end, and what hangs over counts nowhere.
export function tapsWithin(plan, start) {
  let taps = 0;
  for (let tap = 0; tap < plan.kernel; tap++) if (start + tap * plan.dilation < plan.size + plan.after) taps += 1;
  return taps;
}

/** The picture with its zero border, as `convolve` walks over it. */
export function pad(picture, { rows, columns }) {
  const padded = emptyPicture(
    picture.channels, picture.height + rows.before + rows.after, picture.width + columns.before + columns.after);
  for (let channel = 0; channel < picture.channels; channel++) {
    for (let row = 0; row < picture.height; row++) {
      const from = (channel * picture.height + row) * picture.width;
      const to = (channel * padded.height + row + rows.before) * padded.width + columns.before;
      padded.data.set(picture.data.subarray(from, from + picture.width), to);
    }
  }
  return padded;
}

/** A picture of zeros, for numbers as Python's: whole ones beyond float32 are exact. */
export function emptyPicture(channels, height, width) {
  return { channels, height, width, data: new Float64Array(channels * height * width) };
}

/** The window under output (row, column): one {row, column, inside, value} a tap, in kernel order, of one channel. */
export function windowAt(picture, { rows, columns }, row, column, channel) {
  const taps = [];
  for (let i = 0; i < rows.kernel; i++) {
    for (let j = 0; j < columns.kernel; j++) {
      const y = row * rows.stride - rows.before + i * rows.dilation;
      const x = column * columns.stride - columns.before + j * columns.dilation;
      const inside = y >= 0 && y < picture.height && x >= 0 && x < picture.width;
      const value = inside ? picture.data[(channel * picture.height + y) * picture.width + x] : 0;
      taps.push({ row: y, column: x, inside, value });
    }
  }
  return taps;
}
