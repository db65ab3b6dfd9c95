// A network's arithmetic, step by step, for where there is no server: see convoscope/shipping/steps.py.

/** A function from the input's numbers (C, H, W) to the logits. `network` is {shape, steps}, `weights` a Float32Array. */
export function createComputer({ shape, steps }, weights) {
  const part = ([start, length]) => weights.subarray(start, start + length);
  const shapes = [shape, ...steps.map((step) => step.shape)];
  const works = steps.map((step) => KINDS[step.kind](step, step.from.map((value) => shapes[value]), part));
  return (input) => {
    const values = [input];
    steps.forEach((step, at) => values.push(works[at](...step.from.map((value) => values[value]))));
    return values.at(-1);
  };
}

/** Logits as probabilities. */
export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

const KINDS = {
  convolution, dense, by_map: byMap,
  relu: each((value) => (value > 0 ? value : 0)),
  tanh: each(Math.tanh),
  sigmoid: each((value) => 1 / (1 + Math.exp(-value))),
  gelu: each((value) => 0.5 * value * (1 + erf(value * Math.SQRT1_2))),
  add: () => (one, other) => one.map((value, at) => value + other[at]),
  mul: () => (one, other) => one.map((value, at) => value * other[at]),
  max_pool: pooling(-Infinity, Math.max, (value) => value),
  average_pool: pooling(0, (sum, value) => sum + value, (sum, count) => sum / count),
  whole_max: whole((map) => map.reduce((most, value) => Math.max(most, value), -Infinity)),
  whole_mean: whole((map) => map.reduce((sum, value) => sum + value, 0) / map.length),
};

function each(work) {
  return () => (values) => values.map(work);
}

// Each kernel weight is multiplied with all the inputs that it meets at once; the sums are kept in double precision.
function convolution({ weights, bias, kernel, strides, pads, dilations, groups, shape }, [[channels, height, width]], part) {
  const [filters, rows, columns] = shape;
  const [cells, terms] = [part(weights), part(bias)];
  const [own, made] = [channels / groups, filters / groups];
  const sums = new Float64Array(rows * columns);
  return (values) => {
    const output = new Float32Array(filters * rows * columns);
    for (let filter = 0; filter < filters; filter++) {
      sums.fill(terms[filter]);
      let at = filter * own * kernel[0] * kernel[1];
      for (let channel = 0; channel < own; channel++) {
        const map = (Math.floor(filter / made) * own + channel) * height * width;
        for (let y = 0; y < kernel[0]; y++) {
          for (let x = 0; x < kernel[1]; x++) {
            const weight = cells[at++];
            const [down, right] = [y * dilations[0] - pads[0], x * dilations[1] - pads[1]];
            const [top, bottom] = inside(rows, strides[0], down, height);
            const [left, end] = inside(columns, strides[1], right, width);
            for (let row = top; row < bottom; row++) {
              let from = map + (row * strides[0] + down) * width + left * strides[1] + right;
              for (let to = row * columns + left; to < row * columns + end; to++, from += strides[1]) sums[to] += weight * values[from];
            }
          }
        }
      }
      output.set(sums, filter * rows * columns);
    }
    return output;
  };
}

/** The outputs [first, end) of `count` whose input, at place · stride + offset, is one of `length`. */
function inside(count, stride, offset, length) {
  const first = Math.max(0, Math.ceil(-offset / stride));
  return [first, Math.max(first, Math.min(count, Math.floor((length - 1 - offset) / stride) + 1))];
}

function dense({ weights, bias }, _, part) {
  const [cells, terms] = [part(weights), part(bias)];
  return (values) => Float32Array.from(terms, (term, unit) => {
    let sum = term;
    for (let at = 0, cell = unit * values.length; at < values.length; at++, cell++) sum += cells[cell] * values[at];
    return sum;
  });
}

function byMap({ factor, term }, _, part) {
  const [factors, terms] = [part(factor), part(term)];
  return (values) => {
    const size = values.length / factors.length;
    return values.map((value, at) => value * factors[Math.floor(at / size)] + terms[Math.floor(at / size)]);
  };
}

function pooling(start, join, finish) {
  return ({ kernel, strides, pads, count_pads: countPads, shape }, [[, height, width]]) => {
    const [maps, rows, columns] = shape;
    return (values) => {
      const output = new Float32Array(maps * rows * columns);
      let to = 0;
      for (let map = 0; map < maps; map++) {
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const [y, x] = [row * strides[0] - pads[0], column * strides[1] - pads[1]];
            const [bottom, right] = [Math.min(height, y + kernel[0]), Math.min(width, x + kernel[1])];
            let [found, count] = [start, 0];
            for (let line = Math.max(0, y); line < bottom; line++) {
              for (let place = Math.max(0, x); place < right; place++, count++) {
                found = join(found, values[(map * height + line) * width + place]);
              }
            }
            output[to++] = finish(found, countPads ? kernel[0] * kernel[1] : count);
          }
        }
      }
      return output;
    };
  };
}

function whole(work) {
  return ({ shape: [maps] }) => (values) => {
    const size = values.length / maps;
    return Float32Array.from({ length: maps }, (_, map) => work(values.subarray(map * size, (map + 1) * size)));
  };
}

// The series of Abramowitz and Stegun 7.1.6, whose terms all have one sign; beyond 4 a float32 is 1.
function erf(x) {
  if (Math.abs(x) > 4) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-12 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
