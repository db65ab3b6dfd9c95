// The kernel bench without its page: from a setting (as typed) to stages (as computed), or to what is wrong with it.
//
// A setting: {kernel: {name, filters, channels, rows, columns, cells: [text]} | null, channels: "each" | "sum",
//   groups, bias: [text] | null, padding, stride, dilation, pool: "none" | "max" | "avg", poolSize, poolStride,
//   poolPadding, poolDilation, ceil, countPad, single: all is of float32}; padding is "valid", "same", or 1, 2 or 4 numbers, stride and the rest 1 or 2.

import { PlanError, convolve, pad, planAxis, pool, readBy, span, tapsWithin, windowAt } from "./convolve.js";
import { parseNumber } from "./numbers.js";

// That of convoscope/convolution/shapes.py; a window has no more taps than the largest picture has pixels.
const MOST_PIXELS = 100_000_000;
const MOST_TAPS = 2048 * 2048;

/** A setting to start from; `kernel` is one of the catalogue's. */
export function settingOf(kernel) {
  return {
    kernel: kernel && kernelOf(kernel), channels: "each", groups: 1, bias: null,
    padding: "valid", stride: "1", dilation: "1",
    pool: "none", poolSize: "2", poolStride: "", poolPadding: "0", poolDilation: "1", ceil: false, countPad: false, single: false,
  };
}

/** A catalogue kernel {spec, cells: rows of text, numbers} as a setting's kernel. */
export function kernelOf({ spec, cells, numbers }) {
  const flat = numbers.flat();
  const texts = cells.flat().map((text, at) => (parseNumber(text) === flat[at] ? text : String(flat[at])));
  return { name: spec, filters: 1, channels: 1, rows: cells.length, columns: cells[0].length, cells: texts };
}

/** Compute all stages. Returns {stages, errors}: errors is field -> {key, values}; stages is null if there are any. */
export function compute(setting, picture, cache = {}) {
  const errors = {};
  const stages = [];
  let input = picture;
  if (setting.kernel) {
    const stage = convolutionStage(setting, input, errors, cache);
    if (stage) stages.push(stage);
    input = stage?.output;
  }
  if (setting.pool !== "none") {
    const stage = poolingStage(setting, input, errors);
    if (stage) stages.push(stage);
  }
  return Object.keys(errors).length ? { stages: null, errors } : { stages, errors };
}

/** What made output (map, row, column) of a stage, for sum.js; `channelName(index)` names the input's channels. */
export function unitAt(stage, map, row, column, channelName, inputScale) {
  const { input, plan, kernel } = stage;
  const common = { kind: stage.kind, rows: plan.rows.kernel, columns: plan.columns.kernel, single: stage.single, inputScale };
  if (stage.kind !== "convolution") {
    const taps = windowAt(input, plan, row, column, map);
    const channel = { name: channelName(map), pixels: taps.map(({ value }) => value), inside: taps.map(({ inside }) => inside) };
    const inside = channel.inside.filter(Boolean).length;
    const [top, left] = [row * plan.rows.stride - plan.rows.before, column * plan.columns.stride - plan.columns.before];
    const counted = stage.countPad ? tapsWithin(plan.rows, top) * tapsWithin(plan.columns, left) : inside;
    return { ...common, channels: [channel], counted, countPad: stage.countPad, value: valueAt(stage, map, row, column) };
  }
  const { filter, first, count } = readBy(map, input, kernel, stage);
  const size = kernel.height * kernel.width;
  const channels = Array.from({ length: count }, (_, index) => {
    const taps = windowAt(input, plan, row, column, first + index);
    const start = (filter * kernel.channels + (kernel.channels === 1 ? 0 : index)) * size;
    const weights = Array.from(kernel.data.subarray(start, start + size));
    const words = kernel.words.slice(start, start + size);
    const pixels = taps.map(({ value }) => value);
    const sum = pixels.reduce((total, pixel, tap) => total + pixel * weights[tap], 0);
    return { name: channelName(first + index), pixels, weights, words, inside: taps.map(({ inside }) => inside), sum };
  });
  const bias = stage.bias ? stage.bias[filter] : 0;
  return { ...common, channels, bias, value: channels.reduce((total, { sum }) => total + sum, bias) };
}

/** One number of a stage's output. */
export function valueAt({ output }, map, row, column) {
  return output.data[(map * output.height + row) * output.width + column];
}

function convolutionStage(setting, picture, errors, cache) {
  const own = setting.single ? Math.fround : Number;
  const kernel = readKernel(setting.kernel, own, errors);
  const bias = setting.bias ? Float64Array.from(setting.bias, (text) => own(number(text, "bias", errors))) : null;
  const sides = readPadding(setting.padding, "padding", errors);
  const steps = readPair(setting.stride, "stride", errors);
  const apart = readPair(setting.dilation, "dilation", errors);
  if (Object.keys(errors).length) return null;
  const plan = planOf(picture, [kernel.height, kernel.width], { sides, steps, apart }, "", errors);
  if (!plan) return null;
  const each = setting.channels === "each" && kernel.channels === 1 && kernel.filters === 1 && setting.groups === 1;
  const padded = paddedPicture(picture, plan, cache);
  const options = { bias, each, groups: setting.groups, single: setting.single };
  return { kind: "convolution", input: picture, plan, kernel, ...options, output: convolve(picture, kernel, plan, { ...options, padded }) };
}

function poolingStage(setting, picture, errors) {
  const size = readPair(setting.poolSize, "pool-size", errors);
  const steps = setting.poolStride.trim() === "" ? size : readPair(setting.poolStride, "pool-stride", errors);
  const sides = readPadding(setting.poolPadding, "pool-padding", errors);
  const apart = readPair(setting.poolDilation, "pool-dilation", errors);
  if (!picture || !size || !steps || !sides || !apart) return null;
  const plan = planOf(picture, size, { sides, steps, apart, ceil: setting.ceil }, "pool-", errors);
  if (!plan) return null;
  try {
    const output = pool(picture, setting.pool, plan, { countPad: setting.countPad });
    return { kind: setting.pool, input: picture, plan, countPad: setting.countPad, single: setting.single, output };
  } catch (error) {
    return note(error, "", errors);
  }
}

function planOf(picture, size, { sides, steps, apart, ceil = false }, prefix, errors) {
  try {
    const axis = (at, length) => planAxis(length, size[at], {
      padding: sides === "valid" || sides === "same" ? sides : sides[at], stride: steps[at], dilation: apart[at], ceil });
    const plan = { rows: axis(0, picture.height), columns: axis(1, picture.width) };
    checkReach(plan);
    return plan;
  } catch (error) {
    return note(error, prefix, errors);
  }
}

// A window of ceil mode may hang over the end by any number of pixels; every one of them would be walked over and drawn.
function checkReach({ rows, columns }) {
  for (const [tall, wide, most] of [[span(rows), span(columns), MOST_PIXELS], [rows.kernel, columns.kernel, MOST_TAPS]]) {
    if (tall * wide > most) throw new PlanError("kernel", "error_reach", { rows: tall, columns: wide, most });
  }
}

function note(error, prefix, errors) {
  if (!(error instanceof PlanError)) throw error;
  const field = prefix + (prefix && error.field === "kernel" ? "size" : error.field);
  errors[field] = { key: error.key, values: error.values };
  return null;
}

// Padding a large picture costs more than an edit may; it only changes with the picture and the plan.
function paddedPicture(picture, plan, cache) {
  const key = [plan.rows.before, plan.rows.after, plan.columns.before, plan.columns.after].join();
  if (cache.picture !== picture || cache.key !== key) Object.assign(cache, { picture, key, padded: pad(picture, plan) });
  return cache.padded;
}

function readKernel(kernel, own, errors) {
  const data = Float64Array.from(kernel.cells, (text) => own(number(text, "kernel", errors)));
  // Fractions are kept as they were typed: a sum of ninths is easier to follow than one of 0.1111.
  const words = kernel.cells.map((text) => (text.includes("/") ? text.trim().replaceAll("-", "−") : null));
  return { filters: kernel.filters, channels: kernel.channels, height: kernel.rows, width: kernel.columns, data, words };
}

function number(text, field, errors) {
  const value = parseNumber(text);
  if (Number.isNaN(value)) errors[field] ??= { key: "error_number", values: { asked: text.trim() || "–" } };
  return value;
}

function readPair(text, field, errors) {
  const numbers = wholes(text);
  if (numbers && numbers.length === 1 && numbers[0] > 0) return [numbers[0], numbers[0]];
  if (numbers && numbers.length === 2 && Math.min(...numbers) > 0) return numbers;
  errors[field] = { key: "error_pair", values: { asked: text.trim() || "–" } };
  return null;
}

function readPadding(text, field, errors) {
  const typed = text.trim().toLowerCase();
  if (typed === "valid" || typed === "same") return typed;
  const numbers = wholes(text);
  const fits = numbers && Math.min(...numbers) >= 0 && Math.max(...numbers) <= 4096;
  if (fits && numbers.length === 1) return [[numbers[0], numbers[0]], [numbers[0], numbers[0]]];
  if (fits && numbers.length === 2) return [[numbers[0], numbers[0]], [numbers[1], numbers[1]]];
  if (fits && numbers.length === 4) return [[numbers[0], numbers[1]], [numbers[2], numbers[3]]];
  errors[field] = { key: "error_padding", values: { value: text.trim() || "–" } };
  return null;
}

function wholes(text) {
  const parts = text.replaceAll("−", "-").split(",").map((part) => part.trim());
  return parts.every((part) => /^[+-]?\d{1,9}$/.test(part)) ? parts.map(Number) : null;
}
