// What a view found, block by block: paragraphs, tables, charts, grids of numbers, pictures.

import { chartFigure } from "./chart.js";
import { h, uid } from "./dom.js";
import { likeliest, percent } from "./given_picture.js";
import { numberGrid } from "./number_grid.js";
import { shotList } from "./shots.js";

const BLOCKS = { note, table, chart, matrix, pictures };

/** Build a sheet. options: {t, language, given: {title, lead, model, data, picture, probabilities, blocks}, correct(shot) ->
 *  element or null}. Returns {element, destroy}. */
export function createSheet({ t, language, given, correct }) {
  const titleId = uid("title");
  const said = given.picture && given.probabilities ? h("p", { class: "prediction" }, sentence(t, given)) : null;
  const element = h("section", { class: "sheet", "aria-labelledby": titleId },
    h("h2", { id: titleId }, inLanguage(given.title, language)), h("p", { class: "lead" }, inLanguage(given.lead, language)),
    h("p", { class: "hint" }, t("sheet_run", { model: given.model, data: given.data })), said,
    given.blocks.map((block) => BLOCKS[block.kind](t, inLanguage(block, language), correct)));
  return { element, destroy: () => {} };
}

// Texts come in both languages; everything else is left as it is.
function inLanguage(value, language) {
  if (Array.isArray(value)) return value.map((one) => inLanguage(one, language));
  if (value === null || typeof value !== "object") return value;
  if (typeof value.en === "string" && typeof value.es === "string") return value[language];
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inLanguage(one, language)]));
}

function note(_, { text }) {
  return h("p", { class: "finding" }, text);
}

function table(_, { title, note: how, columns, rows, numeric, folded }) {
  const side = (at) => (at >= numeric ? "number" : null);
  const body = rows.map((row) => h("tr", {}, row.map((cell, at) => (at === 0
    ? h("th", { scope: "row" }, cell) : h("td", { class: side(at) }, cell)))));
  const content = h("div", { class: rows.length > 40 ? "scroll tall" : "scroll", tabindex: "0", role: "group", "aria-label": title }, h("table", { class: "sheet-table" },
    h("thead", {}, h("tr", {}, columns.map((name, at) => h("th", { scope: "col", class: side(at) }, name)))), h("tbody", {}, body)));
  if (!folded) return block(title, how, content);
  return h("section", { class: "block" }, h("details", {}, h("summary", {}, title), how ? h("p", { class: "hint" }, how) : null, content));
}

function chart(t, given) {
  return block(given.title, given.note, chartFigure(t, given));
}

function matrix(t, given, correct) {
  return block(given.title, given.note, numberGrid(t, given, (shots) => shotList(shots, 56, correct)));
}

function pictures(_, { title, note: how, shots, size }, correct) {
  return block(title, how, shotList(shots, size, correct));
}

function block(title, how, ...content) {
  return h("section", { class: "block" }, h("h3", {}, title), how ? h("p", { class: "hint" }, how) : null, content);
}

function sentence(t, { picture, probabilities }) {
  const best = likeliest(probabilities);
  const values = { label: best.label, share: percent(best.probability), truth: picture.label };
  if (picture.label === null) return t("prediction", values);
  return best.label === picture.label ? t("prediction_right", values) : t("prediction_wrong", values);
}
