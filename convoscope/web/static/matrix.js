// A small table of numbers on their colours: the window, the kernel, the products. Built once, then only refilled,
// because it changes with every step of an animation.

import { h } from "./dom.js";
import { brief, shown } from "./numbers.js";

/** Returns {element, show(values, scale, marks)}: `values` row by row, `marks[i]` a class name for cell i. */
export function createMatrix(title, rows, columns) {
  const cells = Array.from({ length: rows * columns }, () => h("td", {}));
  const body = Array.from({ length: rows }, (_, row) => h("tr", {}, cells.slice(row * columns, (row + 1) * columns)));
  const element = h("table", { class: "matrix" }, h("caption", {}, title), h("tbody", {}, body));
  return {
    element,
    show(values, scale, marks = []) {
      values.forEach((value, index) => {
        const cell = cells[index];
        const text = value === null ? "" : brief(value);
        if (cell.textContent !== text) cell.textContent = text;
        cell.title = value === null ? "" : shown(value, 9);
        const mark = marks[index] ?? "";
        if (cell.className !== mark) cell.className = mark;
        cell.style.backgroundColor = mark.includes("outside") ? "" : scale.css(value ?? 0);
        cell.style.color = mark.includes("outside") ? "" : scale.ink(value ?? 0);
      });
    },
  };
}
