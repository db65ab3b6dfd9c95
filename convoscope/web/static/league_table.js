// The rows of the league as a table. A row's name is a button that opens the row; a heading sorts by its column.

import { fill, h } from "./dom.js";
import { bytes, share, time } from "./league_numbers.js";

const COLUMNS = ["published_error", "error", "interval", "seconds", "predict_seconds", "peak_memory_bytes", "size_bytes"];
const SORTABLE = ["published_error", "error", "seconds", "predict_seconds", "peak_memory_bytes", "size_bytes"];

/** options: {t, rows, onchoose(id)}. Returns {element, choose(id)}. */
export function createLeagueTable({ t, rows, onchoose }) {
  const lines = new Map(rows.map((row, place) => [row.id, { row, place, ...line(row) }]));
  const body = h("tbody", {}, [...lines.values()].map(({ element }) => element));
  const heads = ["row", ...COLUMNS].map((name) => h("th", { scope: "col", class: name === "row" ? null : "number" },
    name === "row" || SORTABLE.includes(name)
      ? h("button", { type: "button", class: "link", onclick: () => sort(name) }, t(`league_column_${name}`))
      : t(`league_column_${name}`)));
  const table = h("table", { class: "league-table" }, h("caption", { class: "unseen" }, t("league_caption")), h("thead", {}, h("tr", {}, heads)), body);
  const element = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("league_caption") }, table);
  sort("row");

  function line(row) {
    const open = row.error !== null;
    const name = open ? h("button", { type: "button", class: "link", onclick: () => onchoose(row.id) }, row.label) : h("span", {}, row.label);
    const published = h("td", { class: "number" }, row.published_error === null ? "–" : share(row.published_error));
    const cells = open ? figures(row) : h("td", { colspan: "6", class: "status" }, status(row));
    return { button: name, element: h("tr", {}, h("th", { scope: "row" }, name), published, cells) };
  }

  function figures(row) {
    const spread = row.error_std === null ? "" : ` ± ${(100 * row.error_std).toFixed(2)}`;
    const reached = row.published_here && row.error <= row.published_error;
    const texts = [`${(100 * row.error).toFixed(2)}${spread}\u00a0%`, `${(100 * row.interval[0]).toFixed(2)} – ${(100 * row.interval[1]).toFixed(2)}\u00a0%`,
      time(row.seconds), time(row.predict_seconds), row.peak_memory_bytes === null ? "–" : bytes(row.peak_memory_bytes), bytes(row.size_bytes)];
    return texts.map((text, at) => h("td", { class: at === 0 && reached ? "number reached" : "number" }, text));
  }

  function status(row) {
    const word = t(`league_status_${row.status.replaceAll(" ", "_")}`);
    return row.reason ? `${word}: ${row.reason}` : word;
  }

  function sort(column) {
    const of = ({ row, place }) => (column === "row" ? place : row[column] ?? Infinity);
    const ordered = [...lines.values()].sort((one, other) => (of(one) === of(other) ? one.place - other.place : of(one) - of(other)));
    fill(body, ordered.map(({ element: row }) => row));
    heads.forEach((head, at) => {
      const mine = ["row", ...COLUMNS][at] === column;
      if (mine) head.setAttribute("aria-sort", "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  return {
    element,
    choose(id) {
      for (const [name, { button, element: row }] of lines) {
        row.classList.toggle("chosen", name === id);
        if (button.tagName === "BUTTON") button.setAttribute("aria-pressed", String(name === id));
      }
    },
  };
}
