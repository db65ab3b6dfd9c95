// The league: the table of rows, error against cost, what each row got wrong, and whether two rows differ.

import { h, uid } from "./dom.js";
import { counted } from "./numbers.js";
import { createLeagueChart } from "./league_chart.js";
import { createLeagueTable } from "./league_table.js";
import { createCompare } from "./league_compare.js";
import { createMissed } from "./league_missed.js";

/** Build the view. options: {t, language, announce, given: {data, quick, rows, pairs, pictures,
 *  labels, missed_by_all, command}}.
 *  Returns {element, destroy}. */
export function createLeague({ t, language, given, announce }) {
  const rows = given.rows.map((row) => ({ ...row, label: row.names[language], reason: row.reason?.[language] ?? "", note: row.notes[language] ?? "" }));
  const measured = rows.filter((row) => row.error !== null);
  const table = createLeagueTable({ t, rows, onchoose: (id) => announce(choose(id)) });
  const chart = createLeagueChart({ t, rows: measured, onchoose: choose });
  const missed = createMissed({ t, given });
  const titleId = uid("title");
  const element = h("section", { class: "league", "aria-labelledby": titleId },
    h("h2", { id: titleId }, t("league_title", { data: given.data?.name ?? "" })), lead(),
    table.element, h("p", { class: "hint" }, t("league_figures")),
    measured.length > 0 && [chart.element, missed.element],
    measured.length > 1 && [createCompare({ t, rows: measured, pairs: given.pairs }), missed.byAll(measured.length)],
    h("p", { class: "hint" }, t("league_command")),
    h("pre", { tabindex: "0", role: "group", "aria-label": t("commands") }, given.command));

  function lead() {
    if (!given.data) return h("p", { class: "lead" }, t("league_no_data"));
    const values = { training: counted(given.data.training), test: counted(given.data.test) };
    return h("p", { class: "lead" }, t(given.quick ? "league_lead_quick" : "league_lead", values));
  }

  function choose(id) {
    table.choose(id);
    chart.choose(id);
    return missed.show(measured.find((row) => row.id === id));
  }

  if (measured.length > 0) choose(measured[0].id);
  return { element, destroy: () => {} };
}
