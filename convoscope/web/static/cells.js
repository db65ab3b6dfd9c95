// Draws a rectangle of cells: bitmap, padding, ignored pixels, grid lines, numbers. Used for whole maps and for lenses.

import { brief } from "./numbers.js";

const LINE_CELL = 9;
const SMALLEST_TYPE = 8.5;
const LARGEST_TYPE = 17;
// Of a cell's side: how high its number may be, and how wide.
const TYPE_PART = 0.42;
const WIDTH_PART = 0.88;
const SAMPLED = 2000;

/** A map to draw, in cells of the padded picture:
 *  {picture, channel, scale, bitmap, before: [rows, columns], total: [rows, columns], read: {rows, columns} | null,
 *   padText: what stands in a padding cell, widest: the width of its widest number (see widestNumber)}.
 *  view: {row, column, cell, numbers} - which cell lies at the canvas's corner, a cell's side in pixels, and whether
 *  numbers are wanted however small. */
export function drawCells(context, map, view, width, height) {
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  drawPadding(context, map, view);
  drawBitmap(context, map, view);
  if (map.read) drawIgnored(context, map, view);
  if (view.cell >= LINE_CELL) drawLines(context, map, view, width, height);
  if ((view.numbers || view.cell >= numberCell(map)) && map.channel !== "all") drawNumbers(context, map, view, width, height);
}

/** The smallest side of cells, in pixels, in which the map's numbers can be read. */
export function numberCell({ widest }) {
  return SMALLEST_TYPE * Math.max(1 / TYPE_PART, widest / WIDTH_PART);
}

/** How wide the widest of the numbers is, as a multiple of the type's size; of a large map, a sample is measured. */
export function widestNumber(values) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = font(100);
  const step = Math.ceil(values.length / SAMPLED);
  const texts = new Set();
  for (let index = 0; index < values.length; index += step) texts.add(brief(values[index]));
  return [...texts].reduce((widest, text) => Math.max(widest, context.measureText(text).width / 100), 0);
}

function drawBitmap(context, { bitmap, before }, { row, column, cell }) {
  context.imageSmoothingEnabled = cell < 1;
  context.drawImage(
    bitmap, (before[1] - column) * cell, (before[0] - row) * cell, bitmap.width * cell, bitmap.height * cell);
}

function drawPadding(context, { total, picture }, { row, column, cell }) {
  if (total[0] === picture.height && total[1] === picture.width) return;
  context.fillStyle = "#eceae4";
  context.fillRect(-column * cell, -row * cell, total[1] * cell, total[0] * cell);
}

// Pixels that no window reads are struck through, whole rows and columns at a time.
function drawIgnored(context, { picture, before, read }, { row, column, cell }) {
  const top = (before[0] - row) * cell;
  const left = (before[1] - column) * cell;
  const [tall, wide] = [picture.height * cell, picture.width * cell];
  context.save();
  context.beginPath();
  read.rows.forEach((used, index) => used || context.rect(left, top + index * cell, wide, cell));
  read.columns.forEach((used, index) => used || context.rect(left + index * cell, top, cell, tall));
  context.clip();
  context.fillStyle = "rgb(255 255 255 / 0.7)";
  context.fillRect(left, top, wide, tall);
  context.strokeStyle = "rgb(92 90 83 / 0.5)";
  context.lineWidth = 1;
  context.beginPath();
  for (let offset = -tall; offset < wide; offset += 6) {
    context.moveTo(left + offset, top);
    context.lineTo(left + offset + tall, top + tall);
  }
  context.stroke();
  context.restore();
}

function drawLines(context, { total }, { row, column, cell }, width, height) {
  context.strokeStyle = "rgb(27 27 25 / 0.16)";
  context.lineWidth = 1;
  context.beginPath();
  const [rowsEnd, columnsEnd] = [(total[0] - row) * cell, (total[1] - column) * cell];
  for (let index = Math.max(0, Math.ceil(column)); index <= total[1]; index++) {
    const x = Math.round((index - column) * cell) + (index === total[1] ? -0.5 : 0.5);
    if (x > width) break;
    context.moveTo(x, Math.max(0, -row * cell));
    context.lineTo(x, Math.min(height, rowsEnd));
  }
  for (let index = Math.max(0, Math.ceil(row)); index <= total[0]; index++) {
    const y = Math.round((index - row) * cell) + (index === total[0] ? -0.5 : 0.5);
    if (y > height) break;
    context.moveTo(Math.max(0, -column * cell), y);
    context.lineTo(Math.min(width, columnsEnd), y);
  }
  context.stroke();
}

function drawNumbers(context, map, { row, column, cell }, width, height) {
  const { picture, channel, scale, before, total, padText, read } = map;
  context.font = font(Math.min(cell * TYPE_PART, (cell * WIDTH_PART) / map.widest, LARGEST_TYPE));
  context.textAlign = "center";
  context.textBaseline = "middle";
  const last = { row: Math.min(total[0], Math.ceil(row + height / cell)), column: Math.min(total[1], Math.ceil(column + width / cell)) };
  for (let y = Math.max(0, Math.floor(row)); y < last.row; y++) {
    for (let x = Math.max(0, Math.floor(column)); x < last.column; x++) {
      const [pixelRow, pixelColumn] = [y - before[0], x - before[1]];
      const inside = pixelRow >= 0 && pixelRow < picture.height && pixelColumn >= 0 && pixelColumn < picture.width;
      const value = inside ? picture.data[(channel * picture.height + pixelRow) * picture.width + pixelColumn] : null;
      const text = inside ? brief(value) : padText;
      if (!text) continue;
      const ignored = inside && read && !(read.rows[pixelRow] && read.columns[pixelColumn]);
      context.fillStyle = ignored ? "#3d3b36" : inside ? scale.ink(value) : "#5c5a53";
      // A number that the sample missed may be wider than any of it.
      context.fillText(text, (x - column + 0.5) * cell, (y - row + 0.53) * cell, cell * WIDTH_PART);
    }
  }
}

function font(size) {
  return `${size}px system-ui, sans-serif`;
}
