// Whether one of two rows is better, or luckier: McNemar's test, computed beforehand for every pair.

import { h, uid } from "./dom.js";

/** The section. options: {t, rows (measured), pairs: {"first second": {only_first, only_second, both, p}}}. */
export function createCompare({ t, rows, pairs }) {
  const answer = h("p", { role: "status" });
  const [first, second] = [0, rows.length - 1].map((at, place) => choice(place === 0 ? "league_first" : "league_second", at));
  const titleId = uid("title");

  function choice(key, chosen) {
    const select = h("select", { onchange: () => tell() }, rows.map((row, at) => h("option", { value: row.id, selected: at === chosen }, row.label)));
    return { select, element: h("label", { class: "field" }, h("span", {}, t(key)), select) };
  }

  function tell() {
    const [one, other] = [first, second].map(({ select }) => select.value);
    const found = pairs[`${one} ${other}`];
    if (!found) {
      answer.textContent = t("league_same");
      return;
    }
    const [only_first, only_second, both, p] = found;
    const key = p < 0.05 ? "league_differ" : "league_alike";
    const [first_name, second_name] = [one, other].map((id) => rows.find((row) => row.id === id).label);
    const values = { first: first_name, second: second_name, only_first, only_second, both, p: probability(p) };
    answer.textContent = t(key, values);
  }

  tell();
  return h("section", { class: "compare", "aria-labelledby": titleId }, h("h3", { id: titleId }, t("league_compare")),
    h("p", { class: "hint" }, t("league_compare_hint")), h("div", { class: "row" }, first.element, second.element), answer);
}

function probability(p) {
  return p < 1e-4 ? "< 0.0001" : `= ${Number(p.toPrecision(2))}`;
}
