// The layers as a table: shape, costs, receptive field, and the first maps of each on the picture at hand.

import { scaleFor } from "./colour.js";
import { fill, h } from "./dom.js";
import { thumbnail } from "./gallery.js";
import { counted } from "./numbers.js";
import { pictureOf } from "./raster.js";

const SMALL = 34;

/** options: {t, network, onchoose(name)}. Returns {element, show(layers of a look), choose(name)}. */
export function createLayerTable({ t, network, onchoose }) {
  const rows = new Map(network.layers.map((layer) => [layer.name, row(layer)]));
  const head = ["layer", "layer_kind", "layer_shape", "layer_parameters", "layer_macs", "layer_field", "layer_maps"];
  const table = h("table", { class: "layers-table" }, h("caption", {}, t("layers_caption")),
    h("thead", {}, h("tr", {}, head.map((key) => h("th", { scope: "col" }, t(key))))),
    h("tbody", {}, [...rows.values()].map(({ element }) => element)),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row", colspan: "3" }, t("layers_total")),
      h("td", { class: "number" }, cost(network.parameters)), h("td", { class: "number" }, cost(network.macs)), h("td", {}), h("td", {}))));
  const element = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("layers_caption") }, table);

  function row(layer) {
    const button = h("button", { type: "button", class: "link", onclick: () => onchoose(layer.name) }, layer.name);
    const maps = h("td", { class: "strip" });
    const cells = [layer.kind, times(layer.output_shape), cost(layer.parameters), cost(layer.macs), field(layer.receptive_field)];
    return {
      button, maps,
      element: h("tr", {}, h("th", { scope: "row" }, button),
        cells.map((text, at) => h("td", { class: at > 0 ? "number" : null }, text)), maps),
    };
  }

  return {
    element,
    show(layers) {
      for (const { layer, maps: sent } of layers) {
        const picture = pictureOf(sent);
        const scale = scaleFor(picture.data);
        fill(rows.get(layer).maps, h("div", {}, Array.from({ length: picture.channels }, (_, channel) =>
          thumbnail({ picture, channel, scale }, sizeOf(picture)))));
      }
    },
    choose(name) {
      for (const [layer, { button, element: line }] of rows) {
        button.setAttribute("aria-pressed", String(layer === name));
        line.classList.toggle("chosen", layer === name);
      }
    },
  };
}

function sizeOf({ height, width }) {
  if (height > 1) return SMALL;
  return width > 1 ? 5 * SMALL : SMALL / 2;
}

/** A shape as 16 × 14 × 14. */
export function times(shape) {
  return shape.join(" × ");
}

function cost(number) {
  return number === 0 ? "–" : counted(number);
}

function field(size) {
  if (!size) return "–";
  return size[0] === size[1] ? String(size[0]) : times(size);
}
