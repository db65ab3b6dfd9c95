// A map's numbers as a table, for those who read rather than look: the part around the mark, at most 12 by 12.

import { fill, h } from "./dom.js";
import { shown } from "./numbers.js";

const MOST = 12;

/** Returns {element, show(map), follow(mark)}; the table is only built while it is open. */
export function mapTable(t) {
  const place = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("map_table") });
  const element = h("details", { class: "numbers", ontoggle: () => build() }, h("summary", {}, t("map_table")), place);
  let map = null;
  let corner = [0, 0];

  function build() {
    if (!element.open || !map) return;
    const { picture } = map;
    const channel = map.channel === "all" ? map.lensChannel ?? 0 : map.channel;
    const rows = range(corner[0], picture.height);
    const columns = range(corner[1], picture.width);
    const head = h("tr", {}, h("td", {}), columns.map((column) => h("th", { scope: "col" }, String(column))));
    const body = rows.map((row) => h("tr", {}, h("th", { scope: "row" }, String(row)),
      columns.map((column) => h("td", {},
        shown(picture.data[(channel * picture.height + row) * picture.width + column])))));
    const whole = picture.height <= MOST && picture.width <= MOST;
    fill(place, h("table", {}, h("caption", {}, whole ? t("map_table_all") : t("map_table_part", {
      rows: `${rows[0]}–${rows.at(-1)}`, columns: `${columns[0]}–${columns.at(-1)}` })),
    h("thead", {}, head), h("tbody", {}, body)));
  }

  return {
    element,
    show(next) {
      map = next;
      build();
    },
    follow(mark) {
      if (!mark || !map || !element.open) return;
      corner = [Math.round(mark.top) - map.before[0] - 4, Math.round(mark.left) - map.before[1] - 4];
      build();
    },
  };
}

function range(start, size) {
  const first = Math.max(0, Math.min(start, size - MOST));
  return Array.from({ length: Math.min(MOST, size - first) }, (_, index) => first + index);
}
