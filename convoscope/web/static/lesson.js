// A lesson: a guided tour of the page. Each step has a link, a text, perhaps a question, and below it what it opens.

import { fill, h, uid } from "./dom.js";
import { createExercise } from "./exercise.js";
import { openLevel } from "./lesson_level.js";
import { createQuestion } from "./question.js";
import { richText } from "./rich_text.js";
import { writeQuery } from "./state.js";

// Where arrow keys mean something else than the next step.
const ARROWS_MEAN = ["input", "select", "textarea", "summary", "[tabindex='0']", "[role='radio']"].join();

/** Build the level. options: {t, language, source, query, onstate(entries), visit(entries), entitle(text), announce, go}.
 *  Returns {element, destroy()}. */
export function createLesson({ t, language, source, query, onstate, visit, entitle, announce, go }) {
  const element = h("section", { class: "lesson" }, h("p", { class: "hint" }, t("loading")));
  let lesson = null;
  let position = 0;
  let level = null;
  let turn = 0;

  async function load() {
    const known = await source.ask("/lessons");
    if (!query.lesson && known.length > 1) return fill(element, list(known));
    lesson = await source.ask(`/lessons/${encodeURIComponent(query.lesson ?? known[0].name)}`);
    const found = lesson.steps.findIndex(({ name }) => name === query.step);
    position = Math.max(0, found);
    const { lang, level: _, lesson: __, step: ___, ...rest } = query;
    return show(found < 0 ? {} : rest);
  }

  function list(known) {
    const entry = ({ name, title, steps, languages }) => h("li", {}, h("a", { href: `?${writeQuery({ lang: language, level: "lesson", lesson: name })}` }, title[language]),
      h("span", { class: "hint" }, t("lesson_steps", { count: steps, languages: languages.join(", ") })));
    return [h("h2", {}, t("level_lesson")), h("p", { class: "lead" }, t("lesson_lead")), h("ul", { class: "lessons" }, known.map(entry))];
  }

  async function show(entries = {}) {
    const step = lesson.steps[position];
    turn += 1;
    const mine = turn;
    level?.destroy();
    level = null;
    const titleId = uid("step");
    const title = h("h2", { id: titleId, tabindex: "-1" }, step.heading);
    const asked = h("div", { class: "lesson-question" });
    const place = h("div", { class: "lesson-level" });
    const fault = h("p", { class: "fault", role: "alert" });
    element.setAttribute("aria-labelledby", titleId);
    fill(element, head(), title,
      h("div", { class: step.question ? "lesson-body with-question" : "lesson-body" },
        h("div", { class: "lesson-text", lang: lesson.language }, richText(step.text, step.heading)), asked),
      place, fault, foot());
    title.lang = lesson.language;
    entitle(`${step.heading} – ${lesson.title}`);
    onstate({ ...where(position), ...entries });
    try {
      if (step.question) fill(asked, (await question(step)).element);
      if (mine !== turn) return;
      const opened = await openLevel({ t, language, source, lesson: lesson.name, step, query: entries, announce,
        go: (...given) => { if (mine === turn) go(...given); },
        onstate: (state) => { if (mine === turn) onstate({ ...where(position), ...state }); } });
      if (mine !== turn) opened?.destroy();
      else if (opened) fill(place, (level = opened).element);
    } catch (error) {
      if (mine === turn) fault.textContent = error.message;
    }
  }

  async function question({ name, question: given }) {
    if (given.kind === "exercise") {
      const seed = given.seed === null ? "" : `?seed=${given.seed}`;
      return createExercise({ t, source, announce, onstate: () => {}, exercise: await source.ask(`/exercises/${given.exercise}${seed}`) });
    }
    const path = `/lessons/${encodeURIComponent(lesson.name)}/${name}`;
    return createQuestion({
      t, title: t("question"), announce, hints: 0, form: given.form, asked: h("div", { lang: lesson.language }, richText(given.ask, t("question"))),
      choices: Object.entries(given.choices).map(([letter, text]) => ({ letter, text })),
      check: (answer) => source.post(`${path}/check`, { answer }),
      explain: async () => {
        const { answer, explanation } = await source.ask(`${path}/explanation`);
        return { content: [h("p", {}, answer), richText(explanation, t("question_explanation"))] };
      },
    });
  }

  function where(at) {
    return { lesson: lesson.name, step: lesson.steps[at].name };
  }

  function link(at, properties, ...text) {
    const href = `?${writeQuery({ lang: language, level: "lesson", ...where(at) })}`;
    return h("a", { href, ...properties, onclick: (event) => follow(event, at) }, text);
  }

  function head() {
    const items = lesson.steps.map((step, at) => h("li", {}, link(at, { "aria-current": at === position ? "step" : null }, step.heading)));
    return h("div", { class: "lesson-head" },
      h("p", { class: "lesson-title", lang: lesson.language }, lesson.title),
      h("p", { class: "hint" }, t("lesson_step", { number: position + 1, count: lesson.steps.length })),
      h("p", { class: "lesson-turns" }, lesson.steps[position - 1] ? link(position - 1, {}, t("lesson_previous")) : null,
        lesson.steps[position + 1] ? link(position + 1, {}, t("lesson_next")) : null),
      h("details", {}, h("summary", {}, t("lesson_contents")), h("ol", { class: "contents", lang: lesson.language }, items)));
  }

  function foot() {
    const side = (at, key, rel) => (lesson.steps[at] ? link(at, { rel, class: rel }, h("span", { class: "hint" }, t(key)), h("span", { lang: lesson.language }, lesson.steps[at].heading)) : h("span", {}));
    return h("nav", { class: "lesson-foot", "aria-label": t("lesson_steps_nav") }, side(position - 1, "lesson_previous", "prev"),
      side(position + 1, "lesson_next", "next"), h("p", { class: "hint" }, t("lesson_keys")));
  }

  function follow(event, at) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    to(at);
  }

  function to(at) {
    if (!lesson?.steps[at]) return;
    position = at;
    visit(where(at));
    show();
    window.scrollTo(0, 0);
    // The heading is read out, and from it the tab key goes on into the step.
    element.querySelector("h2").focus({ preventScroll: true });
  }

  function key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest?.(ARROWS_MEAN)) return;
    event.preventDefault();
    to(position + step);
  }

  document.addEventListener("keydown", key);
  load().catch((error) => { fill(element, h("p", { class: "fault", role: "alert" }, error.message)); });
  return {
    element,
    destroy() {
      turn += 1;
      document.removeEventListener("keydown", key);
      level?.destroy();
    },
  };
}
