// Labels set right: a choice below each training picture that may be mislabelled, and what becomes of the choices.

import { fill, h } from "./dom.js";

const DROP = "\u0000drop";
// What isn't saved yet outlives the view and the level that it was chosen in.
const changes = new Map();

/** options: {t, source, given: {classes, data, model}}. Resolves to {element, control(shot)}; only the page has it, not a file. */
export async function createLabels({ t, source, given }) {
  let kept = await source.ask("/inspect/labels");
  const count = h("p", { role: "status" });
  const save = h("button", { type: "button", disabled: true, onclick: () => send() }, t("labels_save"));
  const done = h("div", {});
  const fault = h("p", { class: "fault", role: "alert" });
  let saving = false;
  const element = h("section", { class: "corrections", "aria-label": t("labels_title") }, h("p", { class: "hint" }, t("labels_lead")), count, save, fault, done);

  function tell() {
    const all = new Set([...Object.keys(kept.corrections), ...changes.keys()]);
    count.textContent = t("labels_count", { count: all.size, changed: changes.size });
    save.disabled = saving || changes.size === 0;
  }

  function control(shot) {
    const was = given.classes[shot.label];
    const now = kept.corrections[shot.mark];
    const options = [...given.classes.map((name) => [name, name]), [DROP, t("labels_drop")]];
    const set = changes.get(shot.mark) ?? now;
    const chosen = set ? set.label ?? DROP : was;
    const choice = h("select", { "aria-label": t("labels_choice", { picture: shot.caption.split("\n")[0] }), onchange: () => {
      changes.set(shot.mark, { picture: shot.mark, was, label: choice.value === DROP ? null : choice.value });
      tell();
    } }, options.map(([value, name]) => h("option", { value, selected: value === chosen }, name)));
    return choice;
  }

  async function send() {
    const sent = [...changes.values()];
    saving = true;
    save.disabled = true;
    fault.textContent = "";
    try {
      kept = await source.post("/inspect/labels", { corrections: sent });
      // What was chosen meanwhile is not saved yet.
      for (const change of sent) if (changes.get(change.picture) === change) changes.delete(change.picture);
      fill(done, h("p", {}, t("labels_saved", { file: kept.file })), h("pre", { tabindex: "0", role: "group", "aria-label": t("commands") }, kept.commands.join("\n")));
    } catch (error) {
      fault.textContent = error.message;
    }
    saving = false;
    tell();
  }

  tell();
  return { element, control };
}
