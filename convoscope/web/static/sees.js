// What the model sees: each step from the picture given to the prediction.

import { createBars } from "./bars.js";
import { scaleFor } from "./colour.js";
import { fill, h, uid } from "./dom.js";
import { createGivenPicture, likeliest, percent } from "./given_picture.js";
import { shapeText } from "./shapes.js";
import { stillPicture } from "./still.js";

const SIDE = 252;

/** Build the level. options: {t, source, query, network, onstate, announce, go}. */
export function createSees({ t, source, query, network, onstate, announce, go }) {
  const given = createGivenPicture({ t, source, query, network, onseen: (seen, entries) => show(seen, entries), onlost: () => lose() });
  const steps = h("ol", { class: "steps" });
  const bars = createBars({ t });
  const verdict = h("p", { class: "prediction" });
  const fault = h("p", { class: "fault", role: "alert" });
  const titleId = uid("title");
  let entries = {};
  const onward = h("button", { type: "button", onclick: () => go({ level: "network", ...entries }) }, t("sees_network"));
  const element = h("section", { class: "sees", "aria-labelledby": titleId },
    h("h2", { id: titleId }, t("sees_title")), h("p", { class: "lead" }, t("sees_lead")),
    given.element, fault, steps, verdict,
    bars.element, onward);

  // What was said of the last picture isn't said of one that can't be seen.
  function lose() {
    fill(steps);
    verdict.textContent = "";
    bars.element.hidden = true;
    onward.hidden = true;
  }

  function show(seen, from) {
    entries = from;
    bars.element.hidden = false;
    onward.hidden = false;
    onstate(from);
    fill(steps, seen.steps.map((step, at) => one(at, step.name, step.picture, true)),
      one(seen.steps.length, "normalise", seen.inputs, false));
    const best = likeliest(seen.probabilities);
    verdict.textContent = t("prediction", { label: best.label, share: percent(best.probability) });
    bars.show(seen.probabilities);
    announce(verdict.textContent);
  }

  function one(at, name, picture, pixels) {
    const shown = stillPicture({
      t, picture, side: SIDE, scale: scaleFor(picture.data), inColour: picture.channels === 3 && pixels,
      caption: t("step_caption", { number: at + 1, name: t(`step_${name}`), shape: shapeText(picture) }),
      label: t("step_label", { name: t(`step_${name}`), shape: shapeText(picture) }) });
    return h("li", {}, shown, h("p", { class: "hint" }, t(`step_${name}_why`)));
  }

  given.load().catch((error) => { fault.textContent = error.message; });
  return { element, destroy: () => {} };
}
