// The page: its head with the levels and the two languages, and the level that is open.

import { createAnnouncer } from "./announcer.js";
import { openBench } from "./bench.js";
import { createClassify } from "./classify.js";
import { fill, h } from "./dom.js";
import { translator } from "./i18n.js";
import { createExercises } from "./exercises.js";
import { createInspect } from "./inspect.js";
import { createLesson } from "./lesson.js";
import { createNetwork } from "./network.js";
import { createSees } from "./sees.js";
import { fetchMessages, serverSource } from "./source_api.js";
import { readQuery, writeQuery } from "./state.js";
import { withoutRun } from "./without_run.js";

const LEVELS = {
  bench: openBench, network: createNetwork, sees: createSees, inspect: createInspect, classify: createClassify, lesson: createLesson,
  exercises: createExercises };
const ON_A_RUN = ["network", "sees", "inspect"];
const WITHOUT_RUN = ["web.run_missing", "web.predict_missing"];
const LANGUAGES = { en: "English", es: "Español" };

const messages = await fetchMessages();
const standard = document.documentElement.lang;
const announcer = createAnnouncer();
let current = null;
let opening = 0;
let handed = null;
let timer = 0;

/** Open what the address says; `moved` when the reader came from another situation, whose focus is gone with it. */
async function open(moved) {
  const query = readQuery(location.search);
  const language = query.lang in LANGUAGES ? query.lang : standard;
  const level = query.level in LEVELS ? query.level : "bench";
  const t = translator(messages, language);
  document.documentElement.lang = language;
  document.title = `${t(`level_${level}`)} – ${t("page_title")}`;
  opening += 1;
  const mine = opening;
  const place = h("main", { id: "content", tabindex: "-1" }, h("p", { class: "hint" }, t("loading")));
  fill(document.body, skipLink(t), head(t, level, language), place, announcer.element);
  if (moved) place.focus({ preventScroll: true });
  current?.destroy();
  current = null;
  try {
    const source = await serverSource(language, t, handed);
    const network = ON_A_RUN.includes(level) ? await source.ask("/network") : null;
    const classifier = level === "classify" ? await source.ask("/predict") : null;
    if (mine !== opening) return;
    const stated = (state) => ({ ...(query.lang ? { lang: language } : {}), level, ...state });
    // A level that was left may still get an answer; the page is no longer its.
    const still = (act) => (...given) => { if (mine === opening) act(...given); };
    const onstate = still((state) => remember(stated(state)));
    const visit = still((state) => push(stated(state)));
    const entitle = still((text) => { document.title = `${text} – ${t("page_title")}`; });
    const announce = still(announcer.say);
    const opened = await LEVELS[level]({ t, language, source, query, network, classifier, onstate, visit, entitle, announce, go: still(go) });
    if (mine !== opening) return void opened.destroy();
    current = opened;
    fill(place, current.element);
  } catch (error) {
    if (mine === opening) fill(place, WITHOUT_RUN.includes(error.code) ? withoutRun(t, t(`level_${level}`), error.message) : h("p", { class: "fault", role: "alert" }, error.message));
  }
}

function skipLink(t) {
  return h("a", { class: "skip", href: "#content" }, t("skip"));
}

function head(t, level, language) {
  const levels = Object.keys(LEVELS).map((name) => h("a", {
    href: `?${writeQuery({ lang: language, level: name })}`, "aria-current": name === level ? "page" : null,
    onclick: (event) => follow(event, { lang: readQuery(location.search).lang ?? "", level: name }),
  }, t(`level_${name}`)));
  const languages = Object.entries(LANGUAGES).map(([code, name]) => h("a", {
    href: inLanguage(code), lang: code, hreflang: code, "aria-current": code === language ? "true" : null,
    onclick: (event) => follow(event, { ...readQuery(location.search), lang: code }),
  }, name));
  return h("header", { class: "head" }, h("h1", {}, t("page_title")),
    h("nav", { class: "levels", "aria-label": t("levels") }, levels),
    h("nav", { class: "languages", "aria-label": t("language") }, languages));
}

function inLanguage(code) {
  return `?${writeQuery({ ...readQuery(location.search), lang: code })}`;
}

// A link may be opened in a new tab, so it leads to what is seen now.
function renewLinks() {
  for (const link of document.querySelectorAll(".languages a")) link.setAttribute("href", inLanguage(link.lang));
}

function follow(event, query) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(query);
}

/** Go to another situation, as a step that "back" undoes; `picture` is handed over to the bench, if one is given. */
function go(query, picture = handed) {
  handed = picture;
  const kept = query.lang === undefined ? { lang: readQuery(location.search).lang } : {};
  push({ ...kept, ...query });
  open(true);
}

/** Note another situation that the open level has gone to by itself, as a step that "back" undoes. */
function push(query) {
  clearTimeout(timer);
  history.pushState(null, "", `?${writeQuery(query)}`);
  renewLinks();
}

function remember(query) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    history.replaceState(null, "", `?${writeQuery(query)}`);
    renewLinks();
  }, 150);
}

window.addEventListener("popstate", () => open(true));
await open(false);
