// What screen readers are told: one polite live region a page.

import { h } from "./dom.js";

/** Returns {element, say(text)}. A text that repeats is said again. */
export function createAnnouncer() {
  const element = h("p", { class: "unseen", "aria-live": "polite", "aria-atomic": "true" });
  return {
    element,
    say(text) {
      element.textContent = element.textContent === text ? `${text}\u00a0` : text;
    },
  };
}
