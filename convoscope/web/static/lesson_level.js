// What a step of a lesson opens below its text: the kernel bench, the network level, rows of the league, or a picture.

import { openBench } from "./bench.js";
import { scaleFor } from "./colour.js";
import { h } from "./dom.js";
import { createNetwork } from "./network.js";
import { pictureOf } from "./raster.js";
import { shapeText } from "./shapes.js";
import { stillPicture } from "./still.js";
import { withoutRun } from "./without_run.js";

const SIDE = 380;
const OWN = "lesson";

/** What `step` opens, or null. options: {t, language, source, lesson (its name), step, query, onstate(entries), announce, go}.
 *  Resolves to {element, destroy()}. */
export async function openLevel({ t, language, source, lesson, step, query, onstate, announce, go }) {
  const own = () => source.ask(`/lessons/${encodeURIComponent(lesson)}/${step.name}/picture`).then(pictureOf);
  if (step.bench) return bench({ t, language, source, step, own, query, onstate, announce });
  if (step.network) return network({ t, source, step, query, onstate, announce, go });
  if (step.league) return { element: league(t, step.league), destroy: () => {} };
  if (step.own_image) return { element: figure(t, await own()), destroy: () => {} };
  if (step.image) return { element: figure(t, await source.picture(step.image)), destroy: () => {} };
  return null;
}

function bench({ t, language, source, step, own, query, onstate, announce }) {
  const pictures = step.own_image
    ? [{ name: OWN, names: { [language]: t("lesson_picture") }, credit: "" }, ...source.pictures] : source.pictures;
  const asked = (name) => (name === OWN ? own() : source.picture(name));
  return openBench({
    t, language, source: { ...source, pictures, picture: asked }, preset: step.bench,
    query: { at: step.bench.at, picture: step.own_image ? OWN : step.image, ...query }, onstate, announce });
}

async function network({ t, source, step, query, onstate, announce, go }) {
  const { of } = step.network;
  const scoped = (path) => (of && path.startsWith("/network") ? `${path}${path.includes("?") ? "&" : "?"}of=${encodeURIComponent(of)}` : path);
  const within = { ...source, ask: (path) => source.ask(scoped(path)), post: (path, value) => source.post(scoped(path), value),
    send: (path, file) => source.send(scoped(path), file) };
  try {
    const found = await within.ask("/network");
    return createNetwork({ t, source: within, query: { ...step.network.query, ...query }, network: found, onstate, announce, go });
  } catch (error) {
    if (error.code !== "web.run_missing") throw error;
    return { element: withoutRun(t, t("level_network"), error.message), destroy: () => {} };
  }
}

function league(t, rows) {
  const error = ({ published_error: share }) => (share === null ? "–" : `${(100 * share).toFixed(2)}\u00a0%`);
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("lesson_league") },
    h("table", { class: "sheet-table league-lines" }, h("caption", {}, t("lesson_league")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("lesson_method")), h("th", { scope: "col", class: "number" }, t("lesson_error")),
        h("th", { scope: "col" }, t("lesson_source")))),
      h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.title), h("td", { class: "number" }, error(row)), h("td", {}, row.source))))));
}

function figure(t, picture) {
  return stillPicture({ t, picture, side: SIDE, scale: scaleFor(picture.data), caption: t("input_caption", { shape: shapeText(picture) }) });
}
