// Labelled fields with their hint and, beside them, the sentence that says what is wrong.

import { h, uid } from "./dom.js";

/** A field around `control` (an input or select); a quiet label is only heard. Returns
 *  {element, control, faultElement, fault(text | "")}; in a row of narrow fields, faultElement goes below the row. */
export function field(label, control, hint = "", { quiet = false } = {}) {
  const id = uid("field");
  const faultId = uid("fault");
  const hintId = uid("hint");
  control.id = id;
  const fault = h("p", { class: "fault", id: faultId, role: "alert" });
  const note = hint ? h("p", { class: "hint", id: hintId }, hint) : null;
  control.setAttribute("aria-describedby", note ? `${hintId} ${faultId}` : faultId);
  return {
    element: h("div", { class: "field" }, h("label", { for: id, class: quiet ? "unseen" : null }, label), control, note, fault),
    control, faultElement: fault,
    fault(text) {
      if (fault.textContent !== text) fault.textContent = text;
      if (text) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

/** A select of [value, label] pairs. */
export function select(options, value, onchange) {
  const control = h("select", { onchange: () => onchange(control.value) });
  setOptions(control, options, value);
  return control;
}

/** Put other [value, label] pairs into a select. */
export function setOptions(control, options, value) {
  control.replaceChildren(...options.map(([key, label]) => h("option", { value: key }, label)));
  control.value = value;
}

/** A one-line text field; `oninput` gets what is typed. */
export function textInput(value, oninput, properties = {}) {
  const control = h("input", {
    type: "text", value, autocomplete: "off", spellcheck: "false", ...properties, oninput: () => oninput(control.value) });
  return control;
}

/** A checkbox with its label after it. */
export function checkbox(label, checked, onchange) {
  const control = h("input", { type: "checkbox", id: uid("check"), checked, onchange: () => onchange(control.checked) });
  return { element: h("div", { class: "check" }, control, h("label", { for: control.id }, label)), control };
}
