// The layers of a run without a server: their maps on one picture and their filters, all handed over with the page.

import { scaleFor } from "./colour.js";
import { fill, h, uid } from "./dom.js";
import { createGallery } from "./gallery.js";
import { likeliest, percent } from "./given_picture.js";
import { createLayerTable, times } from "./layer_table.js";
import { createMap } from "./map.js";
import { mosaic } from "./mosaic.js";
import { counted, shown } from "./numbers.js";
import { pictureOf } from "./raster.js";

const SIDE = 300;
const MOST_THUMBNAILS = 8;

/** Build the view. options: {t, given: {network, picture, probabilities, layers, command}}. Returns {element, destroy}. */
export function createLayers({ t, given }) {
  const { network } = given;
  const table = createLayerTable({ t, network, onchoose: (name) => open(name) });
  const gallery = createGallery({ label: t("maps_gallery"), onchoose: (index) => { cursor.map = index; drawMap(); } });
  const map = createMap({ t, side: () => SIDE, onpoint: (row, column) => place(row, column), onmove: (rows, columns) => place(cursor.row + rows, cursor.column + columns) });
  const input = createMap({ t, side: () => SIDE });
  const layerTitle = h("h3", {});
  const value = h("p", { class: "verdict", role: "status" });
  const filters = h("div", { class: "filters" });
  const figures = h("div", { class: "figures" }, map.element, given.picture ? input.element : null);
  const titleId = uid("title");
  const element = h("section", { class: "network", "aria-labelledby": titleId },
    h("h2", { id: titleId }, t("network_title")), h("p", { class: "lead" }, t("layers_lead", {
      model: network.model, data: network.data, parameters: counted(network.parameters) })),
    given.probabilities && h("p", { class: "prediction" }, sentence(t, given)), table.element,
    h("div", { class: "layer" }, layerTitle, gallery.element, filters), figures, value,
    h("p", { class: "hint" }, t("layers_serve")),
    h("pre", { tabindex: "0", role: "group", "aria-label": t("commands") }, given.command));
  const cursor = { layer: "", map: 0, row: 0, column: 0 };
  let maps = null;

  function open(name) {
    const { maps: sent, filters: slices, filter_channels: channels } = given.layers[name] ?? { maps: null, filters: null };
    const layer = network.layers.find((one) => one.name === name);
    table.choose(name);
    layerTitle.textContent = t("layer_title", { name, kind: layer.kind, shape: times(layer.output_shape) });
    const why = layer.has_filters ? t("layers_filters_large") : sent ? "" : t("layers_no_filters");
    fill(filters, slices ? mosaic(t, pictureOf(slices), channels) : h("p", { class: "hint" }, why));
    // Where filters are all there is, they lie open.
    if (!sent && slices) filters.querySelector("details").open = true;
    maps = sent && pictureOf(sent);
    gallery.element.hidden = !maps || maps.channels === 1;
    figures.hidden = !maps;
    if (!maps) return;
    Object.assign(cursor, { layer: name, map: 0, row: maps.height >> 1, column: maps.width >> 1 });
    const scale = scaleFor(maps.data);
    gallery.show(Array.from({ length: maps.channels }, (_, channel) => ({ picture: maps, channel, scale, name: t("map_number", { number: channel }) })), 0);
    drawMap();
  }

  function drawMap() {
    map.show({ picture: maps, channel: cursor.map, scale: scaleFor(maps.data) });
    map.caption(t("map_caption", { layer: cursor.layer, number: cursor.map, shape: `${maps.height} × ${maps.width}` }));
    place(cursor.row, cursor.column);
  }

  function place(row, column) {
    Object.assign(cursor, { row: clamp(row, maps.height), column: clamp(column, maps.width) });
    map.mark({ top: cursor.row, left: cursor.column, rows: 1, columns: 1 });
    const number = maps.data[(cursor.map * maps.height + cursor.row) * maps.width + cursor.column];
    const { layer, map: at, row: y, column: x } = cursor;
    const flat = network.layers.find(({ name }) => name === layer).output_shape.length === 1;
    value.textContent = t("unit_title", { layer, place: flat ? y * maps.width + x : `${at}, ${y}, ${x}`, value: shown(number, 7) });
    map.setLabel(t("unit_label", { layer, map: at, rows: maps.height, columns: maps.width, row: y, column: x, value: shown(number, 5) }));
  }

  function drawInput() {
    const picture = pictureOf(given.picture);
    input.show({ picture, channel: picture.channels === 3 ? "all" : 0, lensChannel: 0, scale: scaleFor(picture.data), lens: false });
    input.caption(t("input_caption", { shape: `${picture.height} × ${picture.width}` }));
    input.setLabel(t("layers_picture"));
  }

  const held = network.layers.filter(({ name }) => given.layers[name]);
  table.show(held.map(({ name }) => ({ layer: name, maps: given.layers[name].maps })).filter((one) => one.maps)
    .map(({ layer, maps: sent }) => ({ layer, maps: { ...sent, channels: Math.min(MOST_THUMBNAILS, sent.channels) } })));
  if (given.picture) drawInput();
  open(held[0].name);
  return { element, destroy: () => {} };
}

function sentence(t, { picture, probabilities }) {
  const best = likeliest(probabilities);
  const values = { label: best.label, share: percent(best.probability), truth: picture.label };
  if (picture.label === null) return t("prediction", values);
  return best.label === picture.label ? t("prediction_right", values) : t("prediction_wrong", values);
}

function clamp(index, size) {
  return Math.max(0, Math.min(size - 1, index));
}
