// One question, set as in a textbook: what is asked, the answers or a field, and below them what becomes of an answer,
// hints step by step, and the explanation once it is solved or given up.

import { fill, h, uid } from "./dom.js";
import { field, textInput } from "./form.js";

/** options: {t, title, asked: [elements], choices: [{letter, text}], form, hints, check(answer), hint(step), explain(),
 *  announce, onstate(state)}. check gives {correct, usable, message, explanation}, explain the elements of an explanation,
 *  hint those of a hint. Returns {element}. */
export function createQuestion({ t, title, asked, choices, form, hints, check, hint, explain, announce, onstate = () => {} }) {
  const titleId = uid("question");
  const verdict = h("p", { class: "verdict", role: "status" });
  const helped = h("ol", { class: "hints" });
  const explained = h("div", { class: "explanation", hidden: true });
  const given = choices.length ? createChoices(form, choices) : createNumber(t, form);
  const checkButton = h("button", { type: "submit", class: "play" }, t("question_check"));
  const hintButton = h("button", { type: "button", hidden: hints === 0, onclick: () => help() }, t("question_hint"));
  const giveUp = h("button", { type: "button", onclick: () => tell() }, t("question_explain"));
  const element = h("section", { class: "question", "aria-labelledby": titleId },
    h("h3", { id: titleId }, title), h("div", { class: "asked" }, asked),
    h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); mark(); } },
      given.element, h("div", { class: "picks" }, checkButton, hintButton, giveUp), verdict),
    helped, explained);
  let step = 0;
  let busy = false;

  async function mark() {
    const answer = given.answer();
    if (answer === "") return say(form, false, true);
    return attempt(async () => {
      const found = await check(answer);
      onstate(found.state);
      // A verdict on one answer does not stand under another one.
      if (given.answer() !== answer) return;
      say(found.correct ? t("question_right") : found.message, found.correct, !found.usable);
      if (found.correct) show(found.explanation ?? await explain());
    });
  }

  function say(text, right, unusable = false) {
    verdict.textContent = right ? `✓ ${text}` : text;
    verdict.classList.toggle("differs", !right && !unusable);
    given.fault(unusable);
  }

  function help() {
    return attempt(async () => {
      const found = await hint(step + 1);
      step += 1;
      helped.append(h("li", {}, found.content));
      hintButton.hidden = step >= hints;
      announce(helped.lastElementChild.textContent);
      onstate(found.state);
    });
  }

  function tell() {
    return attempt(async () => {
      const found = await explain();
      show(found);
      announce(explained.textContent);
    });
  }

  function show({ content, state }) {
    fill(explained, h("h4", {}, t("question_explanation")), content);
    explained.hidden = false;
    hintButton.hidden = true;
    giveUp.hidden = true;
    if (state) onstate(state);
  }

  // One thing at a time: what is pressed twice counts once. The buttons aren't disabled for it, which would take the focus.
  async function attempt(work) {
    if (busy) return;
    busy = true;
    try {
      await work();
    } catch (error) {
      say(error.message, false);
    }
    busy = false;
  }

  return { element };
}

function createChoices(form, choices) {
  const name = uid("choice");
  const rows = choices.map(({ letter, text }) => {
    const control = h("input", { type: "radio", name, value: letter, id: uid("choice") });
    return h("div", { class: "choice" }, control, h("label", { for: control.id }, h("span", { class: "letter" }, `${letter})`), h("span", {}, text)));
  });
  const element = h("fieldset", { class: "choices" }, h("legend", { class: "unseen" }, form), rows);
  return {
    element, fault: () => {},
    answer: () => element.querySelector("input:checked")?.value ?? "",
  };
}

function createNumber(t, form) {
  const control = textInput("", () => {}, { inputmode: "text", size: "12" });
  const made = field(t("question_answer"), control, form);
  made.element.classList.add("number-answer");
  return {
    element: made.element, answer: () => control.value.trim(),
    fault(wrong) {
      if (wrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}
