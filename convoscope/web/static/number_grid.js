// Numbers in rows and columns on their colours. Small grids are tables whose numbers open the pictures behind them; large
// ones are maps, to be pointed at and walked with the arrow keys.

import { greyScale, reachOf, signedScale } from "./colour.js";
import { fill, h } from "./dom.js";
import { createMap } from "./map.js";
import { shown } from "./numbers.js";

const MOST_COLUMNS = 16;
const SIDE = 380;

/** `matrix` is {title, rows, columns, row_names, column_names, values, colours, opens}; `list(shots)` shows pictures. */
export function numberGrid(t, matrix, list) {
  return matrix.column_names.length > MOST_COLUMNS && matrix.colours !== "errors" ? asMap(t, matrix) : asTable(t, matrix, list);
}

function asTable(t, matrix, list) {
  const opened = h("div", { class: "opened", role: "region", "aria-live": "polite", "aria-label": t("grid_opened") });
  const scale = scaleOf(matrix);
  const behind = new Map(matrix.opens.map((one) => [`${one.row},${one.column}`, one.shots]));
  const buttons = [];

  function cell(value, row, column) {
    const right = matrix.colours === "errors" && row === column;
    const shots = behind.get(`${row},${column}`);
    const text = value === null ? "–" : value === 0 && matrix.colours === "errors" ? "" : shown(value, 3);
    const element = h("td", { class: right ? "right" : null });
    if (shots) {
      const label = t("grid_cell", { row: matrix.row_names[row], column: matrix.column_names[column], value: text });
      const button = h("button", { type: "button", "aria-label": label, "aria-expanded": "false", onclick: () => open(button, label, shots) }, text);
      buttons.push(button);
      element.append(button);
    } else element.append(text);
    if (!right && value !== null) {
      element.style.backgroundColor = scale.css(value);
      element.style.color = scale.ink(value);
    }
    return element;
  }

  function open(button, label, shots) {
    for (const other of buttons) other.setAttribute("aria-expanded", String(other === button));
    fill(opened, h("p", { class: "hint" }, label), list(shots));
  }

  const head = h("tr", {}, h("th", { scope: "col" }, `${matrix.rows} \\ ${matrix.columns}`), matrix.column_names.map((name) => h("th", { scope: "col" }, name)));
  const body = matrix.values.map((line, row) => h("tr", {}, h("th", { scope: "row" }, matrix.row_names[row]), line.map((value, column) => cell(value, row, column))));
  return h("div", {}, h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": matrix.title },
    h("table", { class: "grid" }, h("thead", {}, head), h("tbody", {}, body))), opened);
}

function asMap(t, matrix) {
  const [height, width] = [matrix.values.length, matrix.column_names.length];
  const picture = { channels: 1, height, width, data: Float32Array.from(matrix.values.flat(), (value) => value ?? 0) };
  const at = { row: height >> 1, column: width >> 1 };
  const said = h("p", { class: "verdict", role: "status" });
  const map = createMap({ t, side: () => SIDE, onpoint: (row, column) => place(row, column), onmove: (rows, columns) => place(at.row + rows, at.column + columns) });

  function place(row, column) {
    at.row = Math.max(0, Math.min(height - 1, row));
    at.column = Math.max(0, Math.min(width - 1, column));
    const value = shown(matrix.values[at.row][at.column] ?? NaN, 4);
    said.textContent = t("grid_place", { rows: matrix.rows, row: matrix.row_names[at.row], columns: matrix.columns, column: matrix.column_names[at.column], value });
    map.mark({ top: at.row, left: at.column, rows: 1, columns: 1 });
    map.setLabel(`${matrix.title}. ${said.textContent}`);
  }

  map.show({ picture, channel: 0, scale: scaleOf(matrix), lens: false });
  map.caption(t("grid_caption", { rows: matrix.rows, columns: matrix.columns }));
  place(at.row, at.column);
  return h("div", {}, map.element, said);
}

// Of a confusion matrix, the largest error has the full colour.
function scaleOf({ values, colours }) {
  const wrong = values.flatMap((line, row) => line.filter((value, column) => value !== null && !(colours === "errors" && row === column)));
  if (colours === "share") return greyScale(0, 1);
  return signedScale(reachOf(Float32Array.from(wrong)));
}
