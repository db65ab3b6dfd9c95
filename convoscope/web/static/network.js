// The network level: every layer of a run on one picture, and any of its units down to its sum.

import { scaleFor } from "./colour.js";
import { fill, h, uid } from "./dom.js";
import { createGallery } from "./gallery.js";
import { createGivenPicture, likeliest, percent } from "./given_picture.js";
import { createLayerTable, times } from "./layer_table.js";
import { createMap } from "./map.js";
import { mosaic } from "./mosaic.js";
import { counted, shown } from "./numbers.js";
import { bytesOf, pictureOf } from "./raster.js";
import { createUnitView } from "./unit_view.js";

const PAUSE = 60;
const SIDE = 300;

/** Build the network level. options: {t, source, query, network, onstate, announce, go(query, handed)}. */
export function createNetwork({ t, source, query, network, onstate, announce, go }) {
  const cursor = cursorOf(query, network);
  const prediction = h("p", { class: "prediction", role: "status" }, t("loading"));
  const table = createLayerTable({ t, network, onchoose: (name) => openLayer(name) });
  const gallery = createGallery({ label: t("maps_gallery"), onchoose: (map) => { cursor.map = map; drawMap(); ask(); } });
  const map = createMap({ t, side: () => SIDE, onpoint: (row, column) => place(row, column), onmove: (rows, columns) => place(cursor.row + rows, cursor.column + columns) });
  const layerTitle = h("h3", {});
  const filters = h("div", { class: "filters" });
  const unitView = createUnitView({ t, side: () => SIDE, onbench: (trace) => toBench(trace).catch(tell) });
  const given = createGivenPicture({ t, source, query, network, onseen: (seen, entries) => take(seen, entries), onlost: () => lose() });
  const fault = h("p", { class: "fault", role: "alert" });
  const shownLater = h("div", { class: "network", hidden: true }, table.element,
    h("div", { class: "layer" }, layerTitle, gallery.element, filters),
    h("div", { class: "figures" }, map.element, unitView.input.element), unitView.element);
  const titleId = uid("title");
  const element = h("section", { class: "network", "aria-labelledby": titleId },
    h("h2", { id: titleId }, t("network_title")), h("p", { class: "lead" }, lead(t, network)),
    h("div", { class: "network-top" }, given.element, prediction), fault, shownLater);
  let picture = null;
  let pictureEntries = {};
  let maps = null;
  let taken = 0;
  let opening = 0;
  let asked = 0;
  let timer = 0;

  // What failed may have been asked for far below.
  function tell(error) {
    fault.textContent = error.message;
    fault.scrollIntoView({ block: "nearest" });
  }

  // The picture asked for can't be seen, and what was said of the last one isn't said of it.
  function lose() {
    taken += 1;
    prediction.textContent = "";
    shownLater.hidden = true;
  }

  // Of several pictures only the last one's maps are shown, whichever answer comes first.
  async function take(seen, entries) {
    taken += 1;
    const mine = taken;
    picture = seen.picture;
    pictureEntries = entries;
    const best = likeliest(seen.probabilities);
    const values = { label: best.label, share: percent(best.probability), truth: seen.label };
    prediction.textContent = seen.label === null ? t("prediction", values)
      : best.label === seen.label ? t("prediction_right", values) : t("prediction_wrong", values);
    unitView.picture(picture, picture.channels === 3 ? "all" : 0);
    const look = await source.post("/network/look", { picture: bytesOf(picture) });
    if (mine !== taken) return;
    table.show(look.layers);
    shownLater.hidden = false;
    await openLayer(cursor.layer, true);
  }

  async function openLayer(name, keep = false) {
    opening += 1;
    const mine = opening;
    table.choose(name);
    let answer;
    try {
      answer = await source.post("/network/maps", { picture: bytesOf(picture), layer: name });
    } catch (error) {
      if (mine !== opening) return;
      table.choose(cursor.layer);
      tell(error);
      return;
    }
    if (mine !== opening) return;
    cursor.layer = name;
    if (!keep) cursor.map = 0;
    maps = pictureOf(answer.maps);
    if (!keep) Object.assign(cursor, { row: maps.height >> 1, column: maps.width >> 1 });
    Object.assign(cursor, {
      map: clamp(cursor.map, maps.channels), row: clamp(cursor.row, maps.height), column: clamp(cursor.column, maps.width) });
    const layer = network.layers.find((one) => one.name === name);
    layerTitle.textContent = t("layer_title", { name, kind: layer.kind, shape: times(layer.output_shape) });
    const scale = scaleFor(maps.data);
    const names = Array.from({ length: maps.channels }, (_, at) => ({ picture: maps, channel: at, scale, name: t("map_number", { number: at }) }));
    gallery.element.hidden = maps.channels === 1;
    gallery.show(names, cursor.map);
    fill(filters, answer.filters ? mosaic(t, pictureOf(answer.filters), answer.filter_channels) : []);
    drawMap();
    place(cursor.row, cursor.column, true);
  }

  function drawMap() {
    map.show({ picture: maps, channel: cursor.map, scale: scaleFor(maps.data) });
    map.caption(t("map_caption", { layer: cursor.layer, number: cursor.map, shape: `${maps.height} × ${maps.width}` }));
    markMap();
  }

  function markMap() {
    const { row, column } = cursor;
    map.mark({ top: row, left: column, rows: 1, columns: 1 });
    const value = shown(maps.data[(cursor.map * maps.height + row) * maps.width + column], 5);
    map.setLabel(t("unit_label", { layer: cursor.layer, map: cursor.map, rows: maps.height, columns: maps.width, row, column, value }));
  }

  function place(row, column, now = false) {
    if (!maps) return;
    Object.assign(cursor, { row: clamp(row, maps.height), column: clamp(column, maps.width) });
    markMap();
    clearTimeout(timer);
    if (now) ask();
    else timer = setTimeout(ask, PAUSE);
  }

  async function ask() {
    asked += 1;
    const mine = asked;
    const layer = network.layers.find((one) => one.name === cursor.layer);
    const unit = layer.output_shape.length === 1 ? [cursor.row * maps.width + cursor.column] : [cursor.map, cursor.row, cursor.column];
    onstate({ ...pictureEntries, layer: cursor.layer, unit: [cursor.map, cursor.row, cursor.column].join(",") });
    try {
      const trace = await source.post("/network/unit", { picture: bytesOf(picture), layer: cursor.layer, place: unit });
      if (mine !== asked) return;
      fault.textContent = "";
      unitView.show(trace);
      announce(unitView.spoken(trace));
    } catch (error) {
      if (mine !== asked) return;
      fault.textContent = error.message;
      unitView.clear();
    }
  }

  // Zoom in once more: the channel that adds most to the sum, with its slice of the filter, on the kernel bench.
  async function toBench(trace) {
    const { calculation, layer, inputs } = trace;
    const sums = calculation.products.map((rows) => Math.abs(rows.flat().reduce((total, product) => total + product, 0)));
    const channel = sums.indexOf(Math.max(...sums));
    const from = inputs[0] === "input" ? (await source.post("/network/look", { picture: bytesOf(picture) })).inputs
      : (await source.post("/network/maps", { picture: bytesOf(picture), layer: inputs[0] })).maps;
    const all = pictureOf(from);
    const at = calculation.first_channel + channel;
    const size = all.height * all.width;
    const handed = { channels: 1, height: all.height, width: all.width, data: all.data.slice(at * size, (at + 1) * size) };
    const kernel = calculation.kernel[channel].map((row) => row.map((weight) => Number(weight.toPrecision(9))).join(",")).join(";");
    const walk = network.layers.find((one) => one.name === layer).walk;
    const padding = Array.isArray(walk?.padding) ? walk.padding.flat().join(",") : walk?.padding ?? "valid";
    go({
      level: "bench", picture: "handed", kernel, padding, stride: walk?.stride.join(",") ?? "1", dilation: walk?.dilation.join(",") ?? "1",
      at: [0, 0, trace.place[1], trace.place[2]].join(",") }, handed);
  }

  map.element.addEventListener("keydown", (event) => {
    if (event.key === "Enter") unitView.element.scrollIntoView({ block: "nearest" });
  });
  given.load().catch((error) => { fault.textContent = error.message; });
  return { element, destroy: () => clearTimeout(timer) };
}

function cursorOf(query, network) {
  const known = network.layers.some(({ name }) => name === query.layer);
  const [map, row, column] = (query.unit ?? "").split(",").map((part) => Math.max(0, Number.parseInt(part, 10) || 0));
  return { layer: known ? query.layer : network.layers[0].name, map: map ?? 0, row: row ?? network.height >> 2, column: column ?? network.width >> 2 };
}

function lead(t, network) {
  const values = { model: network.model, data: network.data, parameters: counted(network.parameters) };
  if (!network.trained) return t("network_lead_untrained", values);
  return network.test_error === null ? t("network_lead", values)
    : t("network_lead_error", { ...values, error: `${(100 * network.test_error).toFixed(2)}\u00a0%` });
}

function clamp(index, size) {
  return Math.max(0, Math.min(size - 1, index));
}
