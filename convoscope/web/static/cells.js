// Draws a rectangle of cells: bitmap, padding, ignored pixels, grid lines, numbers. Used for whole maps and for lenses.

import { brief } from "./numbers.js";

const NUMBER_CELL = 21;
const LONG_NUMBER_CELL = 27;
const LINE_CELL = 9;

/** A map to draw, in cells of the padded picture:
 *  {picture, channel, scale, bitmap, before: [rows, columns], total: [rows, columns], read: {rows, columns} | null,
 *   padText: what stands in a padding cell, short: whether its numbers are whole and have at most three digits}.
 *  view: {row, column, cell, numbers} - which cell lies at the canvas's corner, a cell's side in pixels, and whether
 *  numbers are wanted however small. */
export function drawCells(context, map, view, width, height) {
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  drawPadding(context, map, view);
  drawBitmap(context, map, view);
  if (map.read) drawIgnored(context, map, view);
  if (view.cell >= LINE_CELL) drawLines(context, map, view, width, height);
  if ((view.numbers || showsNumbers(view.cell, map)) && map.channel !== "all") drawNumbers(context, map, view, width, height);
}

/** Whether the map's numbers fit into cells of `cell` pixels; `map.short` says that they have at most three digits. */
export function showsNumbers(cell, { short }) {
  return cell >= (short ? NUMBER_CELL : LONG_NUMBER_CELL);
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
      context.font = font(cell, text);
      context.fillText(text, (x - column + 0.5) * cell, (y - row + 0.53) * cell);
    }
  }
}

function font(cell, text) {
  const size = Math.max(8, Math.min(cell * 0.42, (cell * 1.62) / Math.max(2, text.length), 17));
  return `${size}px system-ui, sans-serif`;
}
