// All filters of a convolution in one picture: a row of tiles a filter, a tile a channel.

import { signedScale, reachOf } from "./colour.js";
import { h } from "./dom.js";

const MOST_SIDE = 640;

/** `slices` holds F · C channels of kH × kW; returns a figure. */
export function mosaic(t, slices, channels) {
  const filters = slices.channels / channels;
  const scale = signedScale(reachOf(slices.data));
  // A single channel would make one tall column of tiles: then the filters lie side by side.
  const across = channels === 1 ? filters : channels;
  const down = channels === 1 ? 1 : filters;
  const [tall, wide] = [slices.height + 1, slices.width + 1];
  const canvas = h("canvas", { width: String(across * wide - 1), height: String(down * tall - 1), class: "mosaic", role: "img",
    "aria-label": t("filters_caption", { filters, channels, size: `${slices.height} × ${slices.width}` }) });
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let tile = 0; tile < slices.channels; tile++) {
    const [top, left] = [Math.floor(tile / across) * tall, (tile % across) * wide];
    for (let at = 0; at < slices.height * slices.width; at++) {
      const [row, column] = [Math.floor(at / slices.width), at % slices.width];
      pixels[(top + row) * canvas.width + left + column] = scale.packed(slices.data[tile * slices.height * slices.width + at]);
    }
  }
  context.putImageData(image, 0, 0);
  const factor = Math.max(1, Math.min(10, Math.floor(MOST_SIDE / canvas.width)));
  canvas.style.width = `${canvas.width * factor}px`;
  return h("details", {}, h("summary", {}, t("filters_caption", { filters, channels, size: `${slices.height} × ${slices.width}` })),
    h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("filters_title") }, canvas));
}
