// One kernel row over one picture row: the inner loop of convolve.js, and the only place where speed shapes the code.
//
// Seven, five or three taps go together, so that each sum is read and written once for all of them. Side by side
// (stride 1, dilation 1) the pixels slide through variables, so that each is loaded once. Kernels are mostly odd.

/** Add kernel row `weights…` over the picture row that starts at `start` to `sums`, one sum an output column. */
export function addRow(sums, data, start, kernel, weights, { stride, dilation }) {
  const w = kernel.data;
  const beside = stride === 1 && dilation === 1;
  let tap = 0;
  while (tap < kernel.width) {
    const left = kernel.width - tap;
    const at = start + tap * dilation;
    if (beside && left >= 7) tap += slide7(sums, data, at, w, weights + tap);
    else if (beside && left >= 5) tap += slide5(sums, data, at, w, weights + tap);
    else if (beside && left >= 3) tap += slide3(sums, data, at, w, weights + tap);
    else if (left >= 3) tap += add3(sums, data, at, w, weights + tap, stride, dilation);
    else tap += add1(sums, data, at, w, weights + tap, stride);
  }
}

function slide7(sums, data, at, w, k) {
  const a = w[k], b = w[k + 1], c = w[k + 2], d = w[k + 3], e = w[k + 4], f = w[k + 5], g = w[k + 6];
  let p = data[at], q = data[at + 1], r = data[at + 2], s = data[at + 3], t = data[at + 4], u = data[at + 5];
  at += 6;
  for (let i = 0; i < sums.length; i++) {
    const v = data[at + i];
    sums[i] += (a * p + b * q) + (c * r + d * s) + (e * t + f * u) + g * v;
    p = q; q = r; r = s; s = t; t = u; u = v;
  }
  return 7;
}

function slide5(sums, data, at, w, k) {
  const a = w[k], b = w[k + 1], c = w[k + 2], d = w[k + 3], e = w[k + 4];
  let p = data[at], q = data[at + 1], r = data[at + 2], s = data[at + 3];
  at += 4;
  for (let i = 0; i < sums.length; i++) {
    const t = data[at + i];
    sums[i] += (a * p + b * q) + (c * r + d * s) + e * t;
    p = q; q = r; r = s; s = t;
  }
  return 5;
}

function slide3(sums, data, at, w, k) {
  const a = w[k], b = w[k + 1], c = w[k + 2];
  let p = data[at], q = data[at + 1];
  at += 2;
  for (let i = 0; i < sums.length; i++) {
    const r = data[at + i];
    sums[i] += a * p + b * q + c * r;
    p = q; q = r;
  }
  return 3;
}

function add3(sums, data, at, w, k, stride, dilation) {
  const a = w[k], b = w[k + 1], c = w[k + 2];
  for (let i = 0; i < sums.length; i++, at += stride) {
    sums[i] += a * data[at] + b * data[at + dilation] + c * data[at + 2 * dilation];
  }
  return 3;
}

function add1(sums, data, at, w, k, stride) {
  const a = w[k];
  if (a === 0) return 1;
  for (let i = 0; i < sums.length; i++, at += stride) sums[i] += a * data[at];
  return 1;
}
