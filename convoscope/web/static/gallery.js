// A row of small maps to choose from. One of them is in the tab order; arrow keys walk to the others.

import { fill, h } from "./dom.js";
import { raster } from "./raster.js";

/** options: {label, onchoose(index)}. Returns {element, show(items, chosen), choose(index)}; an item is
 *  {picture, channel, scale, name}. */
export function createGallery({ label, size = 48, onchoose }) {
  const element = h("div", { class: "gallery", role: "radiogroup", "aria-label": label, onkeydown: (event) => walk(event) });
  let buttons = [];
  let chosen = 0;

  // A late answer brings other maps; the focus that is on the old ones isn't lost with them.
  function show(items, index) {
    const held = element.contains(document.activeElement);
    buttons = items.map((item, at) => h("button", {
      type: "button", role: "radio", title: item.name, "aria-label": item.name, onclick: () => pick(at) }, thumbnail(item, size)));
    fill(element, buttons);
    choose(index);
    if (held) buttons[Math.max(0, index)].focus();
  }

  function choose(index) {
    chosen = index;
    buttons.forEach((button, at) => {
      button.setAttribute("aria-checked", String(at === index));
      button.tabIndex = at === Math.max(0, index) ? 0 : -1;
    });
  }

  function pick(index) {
    choose(index);
    onchoose(index);
  }

  function walk(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(buttons.length - 1, chosen + step));
    buttons[next].focus();
    pick(next);
  }

  return { element, show, choose };
}

/** A small canvas of one map, enlarged without smoothing. */
export function thumbnail({ picture, channel, scale }, size) {
  const canvas = raster(picture, channel, scale);
  const factor = size / Math.max(picture.height, picture.width);
  canvas.className = "thumbnail";
  canvas.style.width = `${Math.max(6, Math.round(picture.width * factor))}px`;
  canvas.style.height = `${Math.max(6, Math.round(picture.height * factor))}px`;
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}
