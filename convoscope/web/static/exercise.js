// An exercise of the server as a question on the page: its figures, and where it asks for code, how to do it in a notebook.

import { greyScale } from "./colour.js";
import { h } from "./dom.js";
import { shown } from "./numbers.js";
import { createQuestion } from "./question.js";
import { inLine, plainText } from "./rich_text.js";
import { stillPicture } from "./still.js";

const SIDE = 224;

/** options: {t, source, exercise: what GET /exercises/{name} answers, announce, onstate(state)}. Returns {element}. */
export function createExercise({ t, source, exercise, announce, onstate }) {
  const path = `/exercises/${encodeURIComponent(exercise.name)}`;
  const { seed } = exercise;
  const asked = [plainText(exercise.question), exercise.figures.length
    ? h("div", { class: "figures" }, exercise.figures.map((figure) => drawn(t, figure))) : null];
  if (exercise.notebook) {
    return { element: h("section", { class: "question" }, h("h3", {}, inLine(exercise.title)), h("div", { class: "asked" }, asked),
      h("p", {}, t("question_notebook")), h("pre", { tabindex: "0", role: "group", "aria-label": t("question_call") }, exercise.notebook)) };
  }
  return createQuestion({
    t, title: inLine(exercise.title), asked, announce, onstate, choices: exercise.choices, form: exercise.form, hints: exercise.hints,
    check: async (answer) => {
      const { explanation, ...verdict } = await source.post(`${path}/check`, { seed, answer });
      return { ...verdict, explanation: explanation ? { content: plainText(explanation) } : null };
    },
    hint: async (step) => content(await source.post(`${path}/hint`, { seed, step })),
    explain: async () => content(await source.post(`${path}/explain`, { seed })),
  });
}

function content({ text, state }) {
  return { content: plainText(text), state };
}

function drawn(t, figure) {
  if (figure.kind === "picture") return shownPicture(t, figure);
  const head = figure.columns.length ? h("thead", {}, h("tr", {}, figure.rows.length ? h("td", {}) : null,
    figure.columns.map((name) => h("th", { scope: "col", class: "number" }, name)))) : null;
  const rows = figure.numbers.map((line, row) => h("tr", {}, figure.rows.length ? h("th", { scope: "row" }, figure.rows[row]) : null,
    line.map((value) => h("td", { class: "number" }, shown(value, 6)))));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": figure.caption },
    h("table", { class: figure.kind === "matrix" ? "matrix" : "sheet-table" }, h("caption", {}, figure.caption), head, h("tbody", {}, rows)));
}

function shownPicture(t, { caption, shape, numbers }) {
  const [height, width] = shape.slice(-2);
  const channels = shape.length === 3 ? shape[0] : 1;
  const picture = { channels, height, width, data: Float32Array.from(numbers.flat(2)) };
  return stillPicture({ t, picture, side: SIDE, scale: greyScale(0, 255), caption });
}
