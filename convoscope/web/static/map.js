// One map on the page: a figure with its picture, the window laid over it, a lens when cells are too small to read,
// and its numbers as a table. It can be pointed at and walked with the arrow keys, or is only looked at.

import { drawCells, numberCell, widestNumber } from "./cells.js";
import { span } from "./convolve.js";
import { h, uid } from "./dom.js";
import { mapTable } from "./map_table.js";
import { raster } from "./raster.js";

const LENS_CELLS = 11;
const SMALL_LENS_CELLS = 9;
const LARGEST_CELL = 46;

/** Build a map. options: {t, side() -> most pixels along a side, onpoint(row, column), onmove(rows, columns)}; without the
 *  last two it is a picture, which keys pass by. Returns {element, show(spec), mark(mark), caption(text), setLabel(text)}. */
export function createMap({ t, side: widest = () => 340, onpoint = null, onmove = null }) {
  const base = h("canvas", { "aria-hidden": "true" });
  const overlay = h("canvas", { class: "overlay", "aria-hidden": "true" });
  const lens = h("canvas", { class: "lens", "aria-hidden": "true", hidden: true });
  const captionId = uid("caption");
  const caption = h("figcaption", { id: captionId });
  const stage = h("div", { class: "stage", ...(onmove ? {
    role: "application", tabindex: "0", "aria-roledescription": t("map_role"), "aria-label": " ",
    onpointermove: (event) => point(event),
    onpointerdown: (event) => point(event),
    onkeydown: (event) => key(event),
  } : { role: "img", "aria-labelledby": captionId }) }, base, overlay);
  const table = mapTable(t);
  const element = h("figure", { class: "map" }, caption, h("div", { class: "layers" }, stage, lens), table.element);
  const bitmap = document.createElement("canvas");
  let map = null;
  let mark = null;
  let cell = 1;

  function show(spec) {
    const { picture, plan } = spec;
    const rows = plan?.rows;
    const columns = plan?.columns;
    map = {
      before: rows ? [rows.before, columns.before] : [0, 0],
      total: rows ? [span(rows), span(columns)] : [picture.height, picture.width],
      read: null, padText: "0", widest: widestNumber(picture.data), ...spec,
    };
    raster(picture, map.channel, map.scale, bitmap);
    map.bitmap = bitmap;
    layOut();
    table.show(map);
  }

  function roomFor() {
    return Math.min(widest(), element.parentElement?.clientWidth || Infinity);
  }

  // The window fits the widest cell the place allows; large maps are shrunk as a whole and read through the lens.
  function layOut() {
    if (!map) return;
    const side = roomFor();
    cell = Math.min(LARGEST_CELL, side / Math.max(map.total[1], map.total[0]));
    if (cell > 4) cell = Math.floor(cell);
    const [width, height] = [Math.max(1, Math.round(map.total[1] * cell)), Math.max(1, Math.round(map.total[0] * cell))];
    stage.style.width = `${width}px`;
    stage.style.height = `${height}px`;
    drawCells(sized(base, width, height), map, { row: 0, column: 0, cell }, width, height);
    sized(overlay, width, height);
    lens.hidden = cell >= numberCell(map) || map.lens === false;
    drawMark();
  }

  function drawMark() {
    const ratio = window.devicePixelRatio || 1;
    const context = overlay.getContext("2d");
    context.clearRect(0, 0, overlay.width / ratio, overlay.height / ratio);
    if (!map) return;
    if (mark) strokeMark(context, mark, { row: 0, column: 0, cell }, map);
    if (!lens.hidden) drawLens();
  }

  function drawLens() {
    const spanned = Math.max(mark?.rows ?? 1, mark?.columns ?? 1);
    const side = roomFor();
    const readable = Math.floor(side / numberCell(map));
    const cells = Math.min(Math.max(Math.min(side < 300 ? SMALL_LENS_CELLS : LENS_CELLS, readable), spanned + 2), 17);
    const lensCell = Math.floor(side / cells);
    const seen = map.total.map((size) => Math.min(cells, size));
    const centre = mark ? [mark.top + mark.rows / 2, mark.left + mark.columns / 2] : [map.total[0] / 2, map.total[1] / 2];
    const corner = [0, 1].map((axis) => Math.max(0, Math.min(map.total[axis] - seen[axis], Math.round(centre[axis] - seen[axis] / 2))));
    const view = { row: corner[0], column: corner[1], cell: lensCell, numbers: true };
    const [tall, wide] = seen.map((count) => count * lensCell);
    const context = sized(lens, wide, tall);
    const grey = map.channel === "all" ? { ...map, channel: map.lensChannel ?? 0, bitmap: channelBitmap() } : map;
    drawCells(context, grey, view, wide, tall);
    if (mark) strokeMark(context, mark, view, map);
  }

  let lensBitmap = null;
  function channelBitmap() {
    const channel = map.lensChannel ?? 0;
    if (!lensBitmap || lensBitmap.picture !== map.picture || lensBitmap.channel !== channel) {
      lensBitmap = { picture: map.picture, channel, canvas: raster(map.picture, channel, map.scale) };
    }
    return lensBitmap.canvas;
  }

  function point(event) {
    if (!map || (event.type === "pointermove" && event.pointerType === "touch")) return;
    const box = stage.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / cell) - map.before[0];
    const column = Math.floor((event.clientX - box.left) / cell) - map.before[1];
    onpoint(clamp(row, map.picture.height), clamp(column, map.picture.width), event);
  }

  function key(event) {
    const step = KEYS[event.key];
    if (!step) return;
    event.preventDefault();
    onmove(...step);
  }

  const watched = new ResizeObserver(layOut);
  requestAnimationFrame(() => element.parentElement && watched.observe(element.parentElement));
  return {
    element, show,
    mark(next) {
      mark = next;
      drawMark();
      table.follow(next);
    },
    caption: (...parts) => caption.replaceChildren(...parts),
    setLabel(text) {
      stage.setAttribute("aria-label", text);
      stage.removeAttribute("aria-labelledby");
    },
  };
}

const FAR = 1e9;
const KEYS = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -FAR], End: [0, FAR],
};

// mark: {top, left, rows, columns} in padded cells, `taps` [dilation rows, columns] when they lie apart,
// `heat` (see drawHeat), `veil` {row, column}: outputs after it are not there yet.
function strokeMark(context, mark, { row, column, cell }, map) {
  if (mark.veil) veil(context, mark.veil, { row, column, cell }, map);
  if (mark.heat) drawHeat(context, mark.heat, { row, column, cell }, map);
  if (mark.taps && cell >= 5) strokeTaps(context, mark, { row, column, cell });
  const box = [(mark.left - column) * cell, (mark.top - row) * cell, mark.columns * cell, mark.rows * cell];
  const small = Math.max(box[2], box[3]) < 9;
  const grow = small ? 4 : 0;
  for (const [style, width] of [["#ffffff", 4], [mark.colour ?? "#1b1b19", 2]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.strokeRect(box[0] - grow, box[1] - grow, box[2] + 2 * grow, box[3] + 2 * grow);
  }
}

// heat: how much each picture cell counts, from 0 to 1: {top, left, rows, columns, values}, in cells of the picture.
function drawHeat(context, heat, { row, column, cell }, { before }) {
  for (let y = 0; y < heat.rows; y++) {
    for (let x = 0; x < heat.columns; x++) {
      const part = heat.values[y][x];
      if (part < 0.01) continue;
      context.fillStyle = `rgb(226 92 30 / ${0.75 * part})`;
      context.fillRect((heat.left + x + before[1] - column) * cell, (heat.top + y + before[0] - row) * cell, cell, cell);
    }
  }
}

function strokeTaps(context, mark, { row, column, cell }) {
  context.strokeStyle = "#1b1b19";
  context.lineWidth = 1;
  for (let y = mark.top; y < mark.top + mark.rows; y += mark.taps[0]) {
    for (let x = mark.left; x < mark.left + mark.columns; x += mark.taps[1]) {
      context.strokeRect((x - column) * cell + 2, (y - row) * cell + 2, cell - 4, cell - 4);
    }
  }
}

function veil(context, from, { row, column, cell }, { total }) {
  context.fillStyle = "rgb(250 249 246 / 0.92)";
  const y = (from.row - row) * cell;
  const x = (from.column + 1 - column) * cell;
  context.fillRect(x, y, (total[1] - column) * cell - x, cell);
  context.fillRect(-column * cell, y + cell, total[1] * cell, (total[0] - row) * cell - y - cell);
}

function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== tall) {
    canvas.width = wide;
    canvas.height = tall;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

function clamp(index, size) {
  return Math.max(0, Math.min(size - 1, index));
}
