// A chart: curves, bars and guide lines over one pair of axes, as SVG, with its numbers as a table below.

import { h, svg } from "./dom.js";
import { shown } from "./numbers.js";

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 56;
const RIGHT = 28;
const TOP = 10;
const BOTTOM = 46;
// M. Okabe, K. Ito (2008): told apart by people of every colour vision; the dashes tell the curves apart without colour.
const COLOURS = ["#0072b2", "#c24e00", "#00795a", "#a3487a", "#2b7fb8", "#8f6400", "#1b1b19"];
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "", "7 3", "2 3"];

/** `chart` is {title, x, y, series: [{name, kind, x, y}], ticks, limits}, its texts in one language. */
export function chartFigure(t, chart) {
  const series = chart.series.map((one) => ({ ...one, points: pointsOf(one) }));
  const all = series.flatMap(({ points }) => points);
  if (!all.length) return h("p", { class: "hint" }, t("chart_empty"));
  const horizontal = axis(all.map(([x]) => x), LEFT, WIDTH - RIGHT, null, series.some(({ kind }) => kind === "bars") ? 0.5 : 0);
  const vertical = axis(all.map(([, y]) => y), HEIGHT - BOTTOM, TOP, chart.limits);
  const bottoms = chart.ticks.length ? chart.ticks.map((name, at) => [at, name]) : horizontal.ticks.map((at) => [at, shown(at)]);
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "sheet-chart", role: "img", "aria-label": chart.title },
    vertical.ticks.map((at) => [
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: vertical.place(at), y2: vertical.place(at), class: at === 0 ? "axis" : "grid" }),
      svg("text", { x: LEFT - 6, y: vertical.place(at) + 4, "text-anchor": "end" }, shown(at)),
    ]),
    bottoms.map(([at, name]) => svg("text", chart.ticks.length > 8
      ? { x: 0, y: 0, "text-anchor": "end", transform: `translate(${horizontal.place(at) + 4} ${HEIGHT - BOTTOM + 12}) rotate(-35)` }
      : { x: horizontal.place(at), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, name)),
    svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM, class: "axis" }),
    chart.ticks.length > 8 ? null : svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle", class: "name" }, chart.x),
    series.map((one, at) => drawn(one, at, horizontal, vertical)));
  const legend = h("ul", { class: "legend-list" }, series.map((one, at) => h("li", {}, key(one, at), one.name)));
  return h("div", { class: "chart-box" }, h("p", { class: "hint" }, chart.y), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": chart.title }, drawing),
    legend, numbers(t, chart, series));
}

function pointsOf({ x, y }) {
  return x.map((at, index) => [at, y[index]]).filter(([at, value]) => at !== null && value !== null);
}

function drawn({ kind, points }, at, horizontal, vertical) {
  const colour = kind === "guide" ? "#77746b" : COLOURS[at % COLOURS.length];
  const places = points.map(([x, y]) => [horizontal.place(x), vertical.place(y)]);
  if (kind === "bars") {
    const wide = 0.86 * (horizontal.place(1) - horizontal.place(0)) * step(points);
    const floor = vertical.place(Math.max(0, vertical.low));
    return places.map(([x, y]) => svg("rect", {
      x: x - wide / 2, y: Math.min(y, floor), width: Math.max(0.5, wide), height: Math.max(0.5, Math.abs(floor - y)), fill: colour }));
  }
  const line = svg("polyline", { points: places.map((place) => place.join(",")).join(" "), fill: "none", stroke: colour,
    "stroke-width": kind === "guide" ? 1 : 1.8, "stroke-dasharray": kind === "guide" ? "4 4" : DASHES[at % DASHES.length] });
  const dots = kind === "guide" || points.length > 40 ? [] : places.map(([x, y]) => svg("circle", { cx: x, cy: y, r: 2.6, fill: colour }));
  return [line, ...dots];
}

function step(points) {
  const gaps = points.slice(1).map(([x], at) => x - points[at][0]).filter((gap) => gap > 0);
  return gaps.length ? Math.min(...gaps) : 1;
}

function key({ kind }, at) {
  const colour = kind === "guide" ? "#77746b" : COLOURS[at % COLOURS.length];
  const dash = kind === "guide" ? "4 4" : kind === "bars" ? "" : DASHES[at % DASHES.length];
  return svg("svg", { viewBox: "0 0 26 10", width: 26, height: 10, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 26, y1: 5, y2: 5, stroke: colour, "stroke-width": kind === "bars" ? 9 : 2, "stroke-dasharray": dash }));
}

function numbers(t, chart, series) {
  const rows = series.filter(({ kind }) => kind !== "guide").flatMap(({ name, points }) => points.map(([x, y]) => h("tr", {},
    h("th", { scope: "row" }, name), h("td", {}, chart.ticks[x] ?? shown(x)), h("td", {}, shown(y)))));
  return h("details", { class: "numbers" }, h("summary", {}, t("map_table")), h("div", { class: "scroll tall", tabindex: "0", role: "group", "aria-label": t("map_table") },
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("chart_curve")), h("th", { scope: "col" }, chart.x), h("th", { scope: "col" }, chart.y))), h("tbody", {}, rows))));
}

// An axis from the least to the largest of `values`, with round numbers for its ticks, whole ones if they are; a vertical one
// starts at 0 if that is near. A single value stands in the middle.
function axis(values, from, to, limits, around = 0) {
  let [low, high] = limits ?? [Math.min(...values), Math.max(...values)];
  if (!limits && low > 0 && low < 0.5 * high && to < from) low = 0;
  const whole = values.every(Number.isInteger);
  const apart = high > low ? 0 : whole ? 0.5 : 0.1 * Math.abs(low);
  low -= around + apart;
  high += around + apart;
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const size = whole && !limits ? Math.max(1, round) : round;
  if (!limits && to < from) {
    low = Math.min(low, Math.floor(low / size) * size);
    high = Math.max(high, Math.ceil(high / size) * size);
  }
  const first = Math.ceil(low / size - 1e-9);
  const count = Math.floor(high / size + 1e-9) - first + 1;
  const ticks = Array.from({ length: count }, (_, at) => Number(((first + at) * size).toPrecision(12)));
  return { low, ticks, place: (value) => Math.round(10 * (from + ((value - low) / (high - low)) * (to - from))) / 10 };
}
