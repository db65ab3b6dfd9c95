// The exercises: all of them by topic with how far one is, and one question at a time.

import { fill, h, uid } from "./dom.js";
import { createExercise } from "./exercise.js";
import { inLine } from "./rich_text.js";

const SEEDS = 2 ** 32;

/** Build the level. options: {t, source, query, visit(entries), announce}. Returns {element, destroy()}. */
export function createExercises({ t, source, query, visit, announce }) {
  const titleId = uid("title");
  const sum = h("p", { class: "hint", role: "status" });
  const list = h("div", { class: "topics" });
  const place = h("div", {});
  const fault = h("p", { class: "fault", role: "alert" });
  const foot = h("div", { class: "picks" });
  const element = h("section", { class: "exercises", "aria-labelledby": titleId },
    h("h2", { id: titleId }, t("level_exercises")), h("p", { class: "lead" }, t("exercises_lead")),
    h("div", { class: "bench-layout" },
      h("nav", { class: "side", "aria-label": t("exercises_list") }, sum, list),
      h("div", { class: "main" }, place, fault, foot)));
  const states = new Map();
  const buttons = new Map();
  let known = [];
  let recorded = true;
  let asked = 0;
  let shown = "";

  async function load() {
    ({ exercises: known, recorded } = await source.ask("/exercises"));
    for (const { name, state } of known) states.set(name, state.name);
    const topics = [...new Set(known.map(({ topic }) => topic))];
    fill(list, topics.map((topic) => {
      const members = known.filter((one) => one.topic === topic);
      return h("section", {}, h("h3", {}, members[0].topic_title), h("ul", { class: "views" }, members.map(item)));
    }));
    const start = known.find(({ name }) => name === query.exercise) ?? known.find(({ state }) => state.name !== "solved") ?? known[0];
    await open(start.name, query.exercise === start.name ? query.seed : undefined);
  }

  function item({ name, title }) {
    const mark = h("span", { class: "state" });
    const button = h("button", { type: "button", class: "link", onclick: () => turn(name) }, inLine(title));
    buttons.set(name, { button, mark });
    return h("li", {}, button, mark);
  }

  function marks(chosen) {
    for (const [name, { button, mark }] of buttons) {
      const state = states.get(name);
      button.setAttribute("aria-pressed", String(name === chosen));
      mark.classList.toggle("solved", state === "solved");
      fill(mark, h("span", { "aria-hidden": "true" }, { solved: "✓", begun: "–", new: "" }[state]), h("span", { class: "unseen" }, t(`exercise_${state}`)));
    }
    const solved = [...states.values()].filter((state) => state === "solved").length;
    sum.textContent = t(recorded ? "exercises_solved" : "exercises_unrecorded", { solved, count: known.length });
  }

  function turn(name, seed) {
    visit({ exercise: name, seed });
    return open(name, seed, true);
  }

  // Only the last question that was asked for is shown.
  async function open(name, seed, moved = false) {
    asked += 1;
    const mine = asked;
    try {
      const exercise = await source.ask(`/exercises/${encodeURIComponent(name)}${seed === undefined ? "" : `?seed=${encodeURIComponent(seed)}`}`);
      if (mine !== asked) return;
      fault.textContent = "";
      shown = name;
      fill(place, createExercise({ t, source, exercise, announce, onstate: (state) => { states.set(name, recorded ? state.name : states.get(name)); marks(shown); } }).element);
      const at = known.findIndex((one) => one.name === name);
      fill(foot, step(at - 1, "exercise_previous"), step(at + 1, "exercise_next"),
        h("button", { type: "button", onclick: () => turn(name, String(Math.floor(Math.random() * SEEDS))) }, t("exercise_again")));
      marks(name);
      if (!moved) return;
      const heading = place.querySelector("h3");
      heading.tabIndex = -1;
      heading.focus();
    } catch (error) {
      if (mine !== asked) return;
      shown = name;
      fill(place);
      fault.textContent = error.message;
      marks(name);
    }
  }

  function step(at, key) {
    return known[at] ? h("button", { type: "button", onclick: () => turn(known[at].name) }, t(key)) : null;
  }

  load().catch((error) => { fault.textContent = error.message; });
  return { element, destroy: () => { asked += 1; } };
}
