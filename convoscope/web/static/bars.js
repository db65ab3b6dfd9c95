// Probabilities as bars.

import { h } from "./dom.js";
import { percent } from "./given_picture.js";

/** A table of {label, probability} entries; returns {element, show(entries)}. */
export function createBars({ t }) {
  const rows = h("tbody", {});
  const element = h("table", { class: "bars" }, h("caption", {}, t("sees_probabilities")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("sees_class")), h("th", { scope: "col" }, t("sees_probability")))), rows);
  return {
    element,
    show(entries) {
      const most = Math.max(...entries.map(({ probability }) => probability));
      rows.replaceChildren(...entries.map((entry) => bar(entry, entry.probability === most)));
    },
  };
}

function bar({ label, probability }, best) {
  const drawn = h("span", { class: best ? "bar best" : "bar" });
  drawn.style.width = `${Math.max(0.2, 16 * probability)}rem`;
  return h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, drawn, h("span", {}, percent(probability))));
}
