// The classifier at work: draw a picture, or choose files, and see their classes. It needs no run: a shipped file will do.

import { createBars } from "./bars.js";
import { fill, h, uid } from "./dom.js";
import { checkbox, field, select } from "./form.js";
import { percent } from "./given_picture.js";
import { createPad } from "./pad.js";
import { bytesOf } from "./raster.js";
import { drawingFromText, drawingToText } from "./state.js";

const INK = 255;
const SIDE = 28;
const PAUSE = 120;

/** Build the level. options: {t, source, query, classifier, onstate, announce}; classifier is what GET /predict answers. */
export function createClassify({ t, source, query, classifier, onstate, announce }) {
  const kinds = [["drawing", t("given_drawing")], ["upload", t("classify_files")]];
  const start = query.drawing || classifier.channels === 1 ? "drawing" : "upload";
  const pick = field(t("given_kind"), select(kinds, start, (kind) => choose(kind)));
  const pad = createPad({ t, side: SIDE, ink: INK, soft: true, ondraw: () => later() });
  const file = h("input", { type: "file", multiple: true, accept: "image/*", onchange: () => takeFiles() });
  const fileField = field(t("classify_upload"), file, t("classify_upload_hint"));
  const invert = checkbox(t("given_invert"), false, () => takeFiles());
  const places = { drawing: pad.element, upload: h("div", { class: "sub" }, fileField.element, invert.element) };
  const fault = h("p", { class: "fault", role: "alert" });
  const verdict = h("p", { class: "prediction" });
  const bars = createBars({ t });
  const rows = h("tbody", {});
  const table = h("table", { class: "files" }, h("caption", {}, t("classify_predictions")),
    h("thead", {}, h("tr", {}, ["classify_file", "sees_class", "sees_probability"].map((key) => h("th", { scope: "col" }, t(key))))), rows);
  const titleId = uid("title");
  const results = { drawing: h("div", { class: "classified" }, verdict, bars.element), upload: h("div", { class: "classified" }, table) };
  const element = h("section", { class: "sees", "aria-labelledby": titleId },
    h("h2", { id: titleId }, t("classify_title")), h("p", { class: "lead" }, lead(t, classifier)),
    h("div", { class: "given" }, pick.element, Object.values(places)), fault, Object.values(results));
  let asked = 0;
  let timer = 0;

  function choose(kind) {
    pick.control.value = kind;
    asked += 1;
    fault.textContent = "";
    for (const group of [places, results]) for (const [name, place] of Object.entries(group)) place.hidden = name !== kind;
    table.hidden = true;
    return kind === "drawing" ? takeDrawing() : takeFiles();
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(takeDrawing, PAUSE);
  }

  // Answers may overtake each other; only the last question's counts.
  async function takeDrawing() {
    asked += 1;
    const mine = asked;
    const picture = pad.picture();
    try {
      const { predictions: [found] } = await source.post("/predict?drawn=true", { images: [bytesOf(picture)] });
      if (mine !== asked) return;
      fault.textContent = "";
      verdict.textContent = t("prediction", { label: found.label, share: percent(found.probability) });
      bars.show(Object.entries(found.probabilities).map(([label, probability]) => ({ label, probability })));
      onstate({ drawing: drawingToText(picture, INK) });
      announce(verdict.textContent);
    } catch (error) {
      if (mine === asked) fault.textContent = error.message;
    }
  }

  async function takeFiles() {
    asked += 1;
    const mine = asked;
    const given = [...file.files];
    table.hidden = given.length === 0;
    fill(rows);
    for (const one of given) {
      const row = h("tr", {}, h("th", { scope: "row" }, one.name));
      rows.append(row);
      row.append(...await cells(one));
      if (mine !== asked) return;
    }
    if (given.length) announce(t("classify_done", { count: given.length }));
  }

  async function cells(one) {
    try {
      // Its kind is told by its first bytes, whatever the browser makes of its name.
      const body = new Blob([one], { type: "application/octet-stream" });
      const { predictions: [found] } = await source.send(`/predict?invert=${invert.control.checked}`, body);
      return [h("td", {}, found.label), h("td", {}, percent(found.probability))];
    } catch (error) {
      return [h("td", { colspan: "2", class: "fault" }, error.message)];
    }
  }

  // Without this the browser would leave the page for the file.
  function over(event) {
    event.preventDefault();
  }

  function drop(event) {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    choose("upload");
  }

  window.addEventListener("dragover", over);
  window.addEventListener("drop", drop);
  const drawn = query.drawing ? drawingFromText(query.drawing, INK) : null;
  if (drawn?.height === SIDE) pad.load(drawn.data);
  choose(start);
  return {
    element,
    destroy() {
      clearTimeout(timer);
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
    },
  };
}

function lead(t, { model, data, precision, test_error }) {
  const values = { model, data, precision, error: test_error === null ? "" : `${(100 * test_error).toFixed(2)}\u00a0%` };
  return t(test_error === null ? "classify_lead" : "classify_lead_certified", values);
}
