// The inspection level: what the views find in the run, each with its parameters, on a picture where it looks at one.

import { fill, h, uid } from "./dom.js";
import { field, select, textInput } from "./form.js";
import { createGivenPicture } from "./given_picture.js";
import { createLabels } from "./labels.js";
import { bytesOf } from "./raster.js";
import { createSheet } from "./sheet.js";

const PAUSE = 2000;

/** Build the level. options: {t, language, source, query, network, onstate, visit, announce}. */
export function createInspect({ t, language, source, query, network, onstate, visit, announce }) {
  const titleId = uid("title");
  const names = h("ul", { class: "views" });
  const settings = h("div", { class: "sub" });
  const apply = h("button", { type: "button", onclick: () => look() }, t("inspect_look"));
  const given = createGivenPicture({ t, source, query, network, onseen: (seen, entries) => take(seen, entries), onlost: () => lose() });
  const working = h("p", { class: "hint", role: "status" });
  const fault = h("p", { class: "fault", role: "alert" });
  const place = h("div", {});
  const element = h("section", { class: "inspect", "aria-labelledby": titleId },
    h("h2", { id: titleId, class: "unseen" }, t("level_inspect")),
    h("div", { class: "bench-layout" },
      h("div", { class: "side" }, h("fieldset", {}, h("legend", {}, t("inspect_views")), names), h("fieldset", {}, settings, apply)),
      h("div", { class: "main" }, given.element, working, fault, place)));
  let views = [];
  let buttons = [];
  let chosen = null;
  let values = {};
  let picture = null;
  let entries = {};
  let asked = 0;
  let timer = 0;
  let left = false;

  async function load() {
    views = await source.ask("/inspect");
    const [name, rest] = (query.view ?? "").split(":");
    const start = views.find((view) => view.name === name) ?? views[0];
    buttons = views.map((view) => h("button", { type: "button", class: "link", onclick: () => turn(view) }, view.titles[language]));
    fill(names, buttons.map((button) => h("li", {}, button)));
    choose(start, start.name === name ? parametersIn(rest) : {});
  }

  // Another view is a step that "back" undoes.
  function turn(view) {
    if (view !== chosen) visit({ ...(view.picture ? entries : {}), view: view.name });
    return choose(view);
  }

  async function choose(view, parameters = {}) {
    chosen = view;
    values = parameters;
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(views[at] === view)));
    fill(settings, view.parameters.map((parameter) => setting(parameter)));
    settings.parentElement.hidden = view.parameters.length === 0;
    given.element.hidden = !view.picture;
    if (view.picture && !picture) await given.load();
    else await look();
  }

  function setting({ name, default: standard, accepts, choices }) {
    const value = values[name] ?? standard;
    const control = choices.length ? select(choices.map((choice) => [choice, t(`setting_${choice}`)]), value, (text) => { values[name] = text; })
      : textInput(value, (text) => { values[name] = text.trim(); }, { onkeydown: (event) => { if (event.key === "Enter") look(); } });
    return field(t(`setting_${name}`), control, choices.length ? "" : accepts).element;
  }

  function take(seen, from) {
    if (left) return null;
    picture = seen.picture;
    entries = from;
    return look();
  }

  // What was found on the last picture isn't said of one that can't be seen.
  function lose() {
    picture = null;
    if (!chosen.picture) return;
    asked += 1;
    fill(place);
    place.classList.remove("stale");
    working.textContent = "";
  }

  // Only the last question's answer counts.
  async function look(again = false) {
    if (chosen.picture && !picture) return;
    const parameters = chosen.parameters.map(({ name, default: standard }) => [name, values[name] ?? standard, standard])
      .filter(([, value, standard]) => value !== "" && value !== standard).map(([name, value]) => `${name}=${value}`);
    const view = parameters.length ? `${chosen.name}:${parameters.join(",")}` : chosen.name;
    asked += 1;
    const mine = asked;
    clearTimeout(timer);
    if (!again) {
      working.textContent = t("inspect_working");
      place.classList.add("stale");
    }
    fault.textContent = "";
    onstate({ ...(chosen.picture ? entries : {}), view });
    try {
      const answer = await source.post("/inspect/show", { view, picture: chosen.picture ? bytesOf(picture) : null });
      if (mine !== asked) return;
      const labels = answer.blocks.some(({ shots }) => shots?.some(({ mark }) => mark)) ? await createLabels({ t, source, given: answer }) : null;
      if (mine !== asked) return;
      fill(place, createSheet({ t, language, given: answer, correct: labels?.control }).element, labels?.element);
      if (!again) announce(t("inspect_done", { view: chosen.titles[language] }));
      // A run that is still training is looked at again, as long as the page is.
      if (answer.live) timer = setTimeout(() => look(true), PAUSE);
    } catch (error) {
      if (mine !== asked) return;
      fill(place);
      fault.textContent = error.message;
    }
    place.classList.remove("stale");
    working.textContent = "";
  }

  load().catch((error) => { fault.textContent = error.message; });
  return { element, destroy: () => { left = true; asked += 1; clearTimeout(timer); } };
}

function parametersIn(text = "") {
  return Object.fromEntries(text.split(",").filter((part) => part.includes("=")).map((part) => part.split("=", 2)));
}
