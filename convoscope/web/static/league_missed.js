// The pictures that a row got wrong, each with what it is and what it was taken for; and those that every row got wrong.

import { fill, h, uid } from "./dom.js";
import { thumbnail } from "./gallery.js";
import { greyScale } from "./colour.js";
import { pictureOf } from "./raster.js";
import { share } from "./league_numbers.js";

const AT_ONCE = 120;
const SIDE = 56;

/** options: {t, given: {data, pictures, missed_by_all}}. Returns {element, show(row), byAll(rows)}. */
export function createMissed({ t, given }) {
  const { pictures, data } = given;
  const places = new Map(pictures.numbers.map((number, place) => [number, place]));
  const all = pictureOf(pictures);
  const scale = greyScale(0, 255);
  const size = data ? data.shape[0] * data.shape[1] * data.shape[2] : 0;
  const element = h("section", { class: "missed" });

  /** Show what `row` got wrong; returns how much that is, in a sentence. */
  function show(row) {
    const values = { wrong: row.missed.length, test: data.test, seed: row.seeds[0] };
    const about = [row.source && t("league_source", { source: row.source }), row.note].filter(Boolean).join(" ");
    const sentence = t("league_missed", values);
    fill(element, h("h3", {}, row.label), h("p", { class: "hint" }, about),
      h("p", {}, sentence), list(row.missed.map(([number, said]) => ({ number, said }))));
    return sentence;
  }

  function byAll(count) {
    const numbers = given.missed_by_all.map((number) => ({ number, said: null }));
    const titleId = uid("title");
    return h("section", { class: "missed", "aria-labelledby": titleId }, h("h3", { id: titleId }, t("league_by_all")),
      h("p", {}, t("league_by_all_count", { wrong: numbers.length, rows: count, share: share(numbers.length / data.test) })), list(numbers));
  }

  /** The first pictures, and a button for more of them. */
  function list(items) {
    const holder = h("ul", { class: "digits" });
    const more = h("button", { type: "button", onclick: () => grow() }, t("league_more"));
    let drawn = 0;
    function grow() {
      const next = items.slice(drawn, drawn + AT_ONCE);
      holder.append(...next.map(item));
      drawn += next.length;
      more.hidden = drawn >= items.length;
    }
    grow();
    return [holder, more];
  }

  function item({ number, said }) {
    const truth = data.classes[given.labels[number]];
    const words = said === null ? truth : `${truth} → ${data.classes[said]}`;
    const name = said === null ? t("league_digit_all", { number, truth }) : t("league_digit", { number, truth, said: data.classes[said] });
    const place = places.get(number);
    return h("li", { title: name }, place === undefined ? null : thumbnail(cut(place), SIDE),
      h("span", { "aria-hidden": "true" }, words), h("span", { class: "unseen" }, name));
  }

  function cut(place) {
    const { shape: [channels, height, width] } = data;
    const picture = { channels, height, width, data: all.data.subarray(place * size, (place + 1) * size) };
    return { picture, channel: channels === 3 ? "all" : 0, scale };
  }

  return { element, show, byAll };
}
