// One view without a server: in a notebook's output, or as the whole of a report.

import { createAnnouncer } from "./announcer.js";
import { createBench } from "./bench.js";
import { fill, h } from "./dom.js";
import { translator } from "./i18n.js";
import { createLayers } from "./layers.js";
import { createLeague } from "./league.js";
import { createOffline } from "./offline.js";
import { createSheet } from "./sheet.js";
import { inlineSource } from "./source_inline.js";

const LEVELS = { bench: createBench, layers: createLayers, league: createLeague, sheet: createSheet, offline: createOffline };
const LANGUAGES = { en: "English", es: "Español" };

/** Show `given` in `root`; both languages stay a click apart. It holds {level, language, messages} and what its level needs:
 *  the bench {kernels, pictures, setting}, the layers {network, picture, probabilities, layers, command}, a sheet {title, blocks …},
 *  a classifier {classifier, network, scaling, weights, checks}. */
export function showView(root, given) {
  const announcer = createAnnouncer();
  let current = null;

  function open(language) {
    const t = translator(given.messages, language);
    const links = Object.entries(LANGUAGES).map(([code, name]) => h("button", {
      type: "button", class: "plain", lang: code, "aria-pressed": String(code === language), onclick: () => open(code) }, name));
    current?.destroy();
    const bench = given.setting ? { source: inlineSource(given, language), setting: structuredClone(given.setting) } : {};
    current = LEVELS[given.level]({ t, language, given, announce: announcer.say, ...bench });
    fill(root, h("div", { class: "languages", role: "group", "aria-label": t("language") }, links), current.element, announcer.element);
  }

  root.classList.add("convoscope", "alone");
  open(given.language);
}
