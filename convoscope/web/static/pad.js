// A drawing pad: pointer or keyboard (arrow keys walk, space draws). Values go from 0 (paper) to `ink`.

import { h, uid } from "./dom.js";

/** options: {t, side (cells), ink, soft, size (pixels), ondraw(picture)}; a soft pen also wets its neighbours.
 *  Returns {element, picture(), clear(), load(data)}. */
export function createPad({ t, side, ink, soft = false, size = 252, ondraw }) {
  const cell = Math.floor(size / side);
  const canvas = h("canvas", { width: String(cell * side), height: String(cell * side), "aria-hidden": "true" });
  const hintId = uid("hint");
  const stage = h("div", {
    class: "pad", role: "application", tabindex: "0", "aria-label": t("pad_label"), "aria-describedby": hintId,
    onpointerdown: (event) => press(event), onpointermove: (event) => drag(event),
    onpointerup: () => { drawing = null; }, onpointercancel: () => { drawing = null; }, onkeydown: (event) => key(event),
    onfocus: () => draw(), onblur: () => draw(),
  }, canvas);
  const element = h("div", { class: "pad-box" }, stage, h("p", { class: "hint", id: hintId }, t("pad_hint")),
    h("button", { type: "button", onclick: () => clear() }, t("pad_clear")));
  const values = new Float32Array(side * side);
  let drawing = null;
  let cursor = [Math.floor(side / 2), Math.floor(side / 2)];

  function press(event) {
    // Another button opens a menu, and its release may never be told.
    if (event.button !== 0) return;
    event.preventDefault();
    stage.focus();
    stage.setPointerCapture(event.pointerId);
    const at = place(event);
    cursor = at;
    drawing = { value: soft || values[at[0] * side + at[1]] === 0 ? ink : 0, last: at };
    dab(at, drawing.value);
    changed();
  }

  function drag(event) {
    if (!drawing) return;
    const at = place(event);
    const [from, steps] = [drawing.last, Math.max(Math.abs(at[0] - drawing.last[0]), Math.abs(at[1] - drawing.last[1]), 1)];
    for (let step = 1; step <= steps; step++) {
      dab([0, 1].map((axis) => Math.round(from[axis] + ((at[axis] - from[axis]) * step) / steps)), drawing.value);
    }
    drawing.last = at;
    cursor = at;
    changed();
  }

  function key(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) {
      cursor = cursor.map((at, axis) => Math.max(0, Math.min(side - 1, at + step[axis])));
      if (event.shiftKey) dab(cursor, ink);
    } else if (event.key === " " || event.key === "Enter") {
      dab(cursor, soft || values[cursor[0] * side + cursor[1]] === 0 ? ink : 0);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      dab(cursor, 0);
    } else {
      return;
    }
    event.preventDefault();
    changed();
  }

  function dab([row, column], value) {
    set(row, column, value);
    if (!soft) return;
    for (const [dr, dc, part] of BRUSH) {
      const at = (row + dr) * side + column + dc;
      if (inside(row + dr, column + dc)) values[at] = value === 0 ? 0 : Math.max(values[at], Math.round(ink * part));
    }
  }

  function set(row, column, value) {
    if (inside(row, column)) values[row * side + column] = value;
  }

  function inside(row, column) {
    return row >= 0 && row < side && column >= 0 && column < side;
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width]
      .map((part) => Math.max(0, Math.min(side - 1, Math.floor(part * side))));
  }

  function draw() {
    const context = canvas.getContext("2d");
    context.fillStyle = "#000000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    values.forEach((value, at) => {
      if (value === 0) return;
      const level = Math.round((value / ink) * 255);
      context.fillStyle = `rgb(${level} ${level} ${level})`;
      context.fillRect((at % side) * cell, Math.floor(at / side) * cell, cell, cell);
    });
    if (document.activeElement !== stage) return;
    context.strokeStyle = "#d9601f";
    context.lineWidth = 2;
    context.strokeRect(cursor[1] * cell + 1, cursor[0] * cell + 1, cell - 2, cell - 2);
  }

  function changed() {
    draw();
    ondraw(picture());
  }

  function picture() {
    return { channels: 1, height: side, width: side, data: Float32Array.from(values) };
  }

  function clear() {
    values.fill(0);
    changed();
  }

  draw();
  return {
    element, picture, clear,
    load(data) {
      values.set(data);
      draw();
    },
  };
}

// Levels that a link can hold: it keeps 16 of them.
const [NEAR, FAR] = [11 / 15, 5 / 15];
const BRUSH = [[-1, 0, NEAR], [1, 0, NEAR], [0, -1, NEAR], [0, 1, NEAR], [-1, -1, FAR], [-1, 1, FAR], [1, -1, FAR], [1, 1, FAR]];
