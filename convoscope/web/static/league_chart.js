// Error against cost, both on logarithmic scales: a dot for what was measured, a dash for what was published.

import { fill, h, svg, uid } from "./dom.js";
import { bytes, share, time } from "./league_numbers.js";

const COSTS = { seconds: time, predict_seconds: time, size_bytes: bytes };
const WIDE = 760;
const TALL = 400;
const LEFT = 62;
const RIGHT = 20;
const TOP = 16;
const FOOT = 46;
const LINE = 15;
const LETTER = 7.2;

/** options: {t, rows (measured), onchoose(id)}. Returns {element, choose(id)}. */
export function createLeagueChart({ t, rows, onchoose }) {
  const name = uid("cost");
  const drawing = svg("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, class: "league-chart", role: "img" });
  const choices = Object.keys(COSTS).map((cost) => h("label", { class: "check" },
    h("input", { type: "radio", name, value: cost, checked: cost === "seconds", onchange: () => draw(cost) }), t(`league_cost_${cost}`)));
  const element = h("figure", { class: "chart" }, h("figcaption", {}, t("league_chart")),
    h("div", { class: "picks", role: "radiogroup", "aria-label": t("league_cost") }, choices), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("league_chart") }, drawing));
  let chosen = null;
  let marks = new Map();

  function draw(cost) {
    const least = 1 / 20000;
    const costs = rows.map((row) => Math.max(row[cost], cost === "size_bytes" ? 1 : 0.01));
    const errors = rows.flatMap((row) => [Math.max(row.error, least), row.published_here ? row.published_error : Math.max(row.error, least)]);
    const x = logScale(costs, LEFT, WIDE - RIGHT);
    const y = logScale(errors, TALL - FOOT, TOP);
    drawing.setAttribute("aria-label", t("league_chart_label", { cost: t(`league_cost_${cost}`), rows: rows.map((row) => `${row.id} ${share(row.error)}`).join(", ") }));
    const taken = [];
    marks = new Map();
    fill(drawing, axes(t, x, y, cost), rows.map((row, at) => {
      const place = { x: x.of(costs[at]), y: y.of(Math.max(row.error, least)) };
      taken.push({ left: place.x - 6, right: place.x + 6, top: place.y - 6, bottom: place.y + 6 });
      return place;
    }).map((place, at) => mark(rows[at], place, y, taken)));
    if (chosen) choose(chosen);
  }

  function mark(row, place, y, taken) {
    const label = labelPlace(place, row.id, taken);
    const parts = [];
    if (row.published_here) {
      const published = y.of(row.published_error);
      parts.push(svg("line", { x1: place.x, x2: place.x, y1: place.y, y2: published, class: "gap" }),
        svg("line", { x1: place.x - 6, x2: place.x + 6, y1: published, y2: published, class: "published" }));
    }
    parts.push(svg("circle", { cx: place.x, cy: place.y, r: 4.5 }), text(row.id, label.x, label.y, label.anchor));
    const group = svg("g", { class: "mark" }, parts);
    group.addEventListener("click", () => onchoose(row.id));
    marks.set(row.id, group);
    return group;
  }

  function choose(id) {
    chosen = id;
    for (const [key, group] of marks) group.classList.toggle("chosen", key === id);
  }

  draw("seconds");
  return { element, choose };
}

function axes(t, x, y, cost) {
  const across = x.ticks.map((value) => [svg("line", { x1: x.of(value), x2: x.of(value), y1: TOP, y2: TALL - FOOT, class: "grid" }),
    text(COSTS[cost](value), x.of(value), TALL - FOOT + 18, "middle")]);
  const down = y.ticks.map((value) => [svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y.of(value), y2: y.of(value), class: "grid" }),
    text(`${Number((100 * value).toPrecision(2))}\u00a0%`, LEFT - 8, y.of(value) + 4, "end")]);
  return [across, down, text(t(`league_cost_${cost}`), (LEFT + WIDE - RIGHT) / 2, TALL - 6, "middle")];
}

/** Powers of ten (and 2 and 5 times them, where there are few), and where a value lies between `from` and `to`. */
function logScale(values, from, to) {
  const low = Math.log10(Math.min(...values)) - 0.12;
  const high = Math.log10(Math.max(...values)) + 0.12;
  const steps = high - low > 2.5 ? [1] : high - low > 1 ? [1, 3] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(low); power <= high; power++) ticks.push(...steps.map((step) => step * 10 ** power));
  return {
    of: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: ticks.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high),
  };
}

/** A free place for a label beside its dot, tried right, left, and further up and down. */
function labelPlace(place, label, taken) {
  const width = label.length * LETTER;
  const tries = [0, -LINE, LINE, -2 * LINE, 2 * LINE].flatMap((shift) => [
    { x: place.x + 9, y: place.y + 4 + shift, anchor: "start", left: place.x + 8 },
    { x: place.x - 9, y: place.y + 4 + shift, anchor: "end", left: place.x - 8 - width },
  ]);
  const boxes = tries.map((one) => ({ ...one, right: one.left + width, top: one.y - 11, bottom: one.y + 3 }));
  const inside = boxes.filter((box) => box.left > LEFT && box.right < WIDE && box.top > 0 && box.bottom < TALL - FOOT);
  const found = inside.find((box) => !taken.some((other) => overlap(box, other))) ?? inside[0] ?? boxes[0];
  taken.push(found);
  return found;
}

function overlap(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function text(words, x, y, anchor) {
  return svg("text", { x, y, "text-anchor": anchor }, words);
}
