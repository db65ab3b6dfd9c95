// The worked sum of one output: window, kernel and products side by side, and the line 1×1 + 0×(−1) + … = 5.

import { signedScale } from "./colour.js";
import { fill, h } from "./dom.js";
import { createMatrix } from "./matrix.js";
import { allExact, bracketed, equals, shown } from "./numbers.js";

const WIDEST_MATRIX = 7;
const MOST_TRIPLES = 4;
const MOST_TERMS = 160;

/** Returns {element, show(unit)}. A unit is what unitAt in bench_model.js gives. */
export function createSum(t) {
  const element = h("div", { class: "worked" });
  let parts = null;
  let shape = "";

  function show(unit) {
    const next = [unit.kind, unit.rows, unit.columns, unit.channels.map(({ name }) => name)].join();
    if (next !== shape) {
      shape = next;
      parts = unit.kind === "convolution" ? convolutionParts(t, unit) : poolingParts(t, unit);
      fill(element, parts.elements);
    }
    parts.show(unit);
  }

  return { element, show };
}

/** The sum in one line of text; several channels give one line each and a last one that adds them up. */
export function sumLines(t, unit) {
  if (unit.kind !== "convolution") return [poolingLine(unit)];
  const { single, value } = unit;
  const bias = unit.bias ? [`${bracketed(unit.bias)} (${t("bias")})`] : [];
  const biasNumber = unit.bias ? [unit.bias] : [];
  const terms = unit.channels.map(({ pixels, weights, words }) =>
    pixels.map((pixel, tap) => `${bracketed(pixel)}×${words?.[tap] ? `(${words[tap]})` : bracketed(weights[tap])}`));
  if (unit.channels.length === 1) {
    const exact = allExact([...factors(unit.channels[0]), ...biasNumber], 4, single) && allExact([value], 7, single);
    return [`${[...terms[0], ...bias].join(" + ")} ${equals(exact, value)}`];
  }
  // Channels are added up in float64, whatever they are of.
  const lines = unit.channels.map((channel, index) => {
    const exact = allExact(factors(channel), 4, single) && allExact([channel.sum], 7);
    return `${channel.name}: ${terms[index].join(" + ")} ${equals(exact, channel.sum)}`;
  });
  const sums = unit.channels.map(({ sum }) => sum);
  const total = [...sums.map((sum) => bracketed(sum, 7)), ...bias].join(" + ");
  const exact = allExact(sums, 7) && allExact(biasNumber, 4, single) && allExact([value], 7, single);
  return [...lines, `${t("sum_total")}: ${total} ${equals(exact, value)}`];
}

// The numbers that were written out and may have been rounded for it.
function factors({ pixels, weights, words }) {
  return [...pixels, ...weights.filter((_, tap) => !words?.[tap])];
}

function convolutionParts(t, unit) {
  const lines = unit.channels.map(() => h("p", { class: "sum-line" }));
  const many = unit.channels.length > MOST_TRIPLES || unit.channels.length * unit.rows * unit.columns > MOST_TERMS;
  if (unit.channels.length > 1) lines.push(h("p", { class: many ? "sum-line" : "sum-line sum-total" }));
  const drawn = unit.columns <= WIDEST_MATRIX && unit.rows <= WIDEST_MATRIX && unit.channels.length <= MOST_TRIPLES;
  const triples = drawn ? unit.channels.map(() => ["sum_window", "sum_kernel", "sum_products"].map((key) =>
    createMatrix(t(key), unit.rows, unit.columns))) : [];
  const results = triples.map(() => h("span", { class: "result" }));
  const rows = triples.map(([window, kernel, products], index) => h("div", { class: "triple" },
    unit.channels.length > 1 && h("span", { class: "triple-name" }, unit.channels[index].name),
    window.element, sign("×"), kernel.element, sign("="), products.element, sign("Σ ="), results[index]));
  return {
    elements: [rows.length ? h("div", { class: "scroll triples", tabindex: "0", role: "group", "aria-label": t("sum_title") }, rows) : null, many ? [lines.length > 1 ? lines.at(-1) : null, h("div", { class: "lines", tabindex: "0", role: "group", "aria-label": t("sum_channels") },
      lines.length > 1 ? lines.slice(0, -1) : lines)] : lines],
    show(next) {
      sumLines(t, next).forEach((text, index) => { lines[index].textContent = text; });
      triples.forEach(([window, kernel, products], index) => {
        const channel = next.channels[index];
        const outside = channel.inside.map((inside) => (inside ? "" : "outside"));
        const values = channel.pixels.map((pixel, tap) => pixel * channel.weights[tap]);
        window.show(channel.pixels, next.inputScale, outside);
        kernel.show(channel.weights, signedScale(largest(channel.weights)));
        products.show(values, signedScale(largest(values)), outside);
        results[index].textContent = shown(channel.sum, 7);
      });
    },
  };
}

function poolingParts(t, unit) {
  const line = h("p", { class: "sum-line" });
  const drawn = unit.columns <= WIDEST_MATRIX && unit.rows <= WIDEST_MATRIX;
  const window = drawn ? createMatrix(t("sum_window"), unit.rows, unit.columns) : null;
  const result = h("span", { class: "result" });
  const sound = unit.kind === "max" ? "max =" : "Σ / n =";
  return {
    elements: [drawn ? h("div", { class: "scroll triples", tabindex: "0", role: "group", "aria-label": t("sum_title") },
      h("div", { class: "triple" }, window.element, sign(sound), result)) : null, line],
    show(next) {
      const [{ pixels, inside }] = next.channels;
      const best = next.kind === "max" ? pixels.findIndex((pixel, tap) => inside[tap] && pixel === next.value) : -1;
      const marks = inside.map((within, tap) => (within ? (tap === best ? "winner" : "") : "outside"));
      if (drawn) window.show(pixels.map((pixel, tap) => (inside[tap] || next.countPad ? pixel : null)), next.inputScale, marks);
      result.textContent = shown(next.value, 7);
      line.textContent = poolingLine(next);
    },
  };
}

function poolingLine({ kind, channels: [{ pixels, inside }], counted, countPad, single, value }) {
  const taken = pixels.filter((_, tap) => inside[tap] || (kind === "avg" && countPad));
  const exact = allExact(taken, 4, single) && allExact([value], 7, single);
  if (kind === "max") return `max(${taken.map((pixel) => shown(pixel)).join(", ")}) ${equals(exact, value)}`;
  return `(${taken.map((pixel) => bracketed(pixel)).join(" + ")}) / ${counted} ${equals(exact, value)}`;
}

function sign(text) {
  return h("span", { class: "sign", "aria-hidden": "true" }, text);
}

function largest(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
