// Small pictures with a line under each: bytes in grey or colour, signed numbers on their scale, a window outlined.

import { greyScale, reachOf, signedScale } from "./colour.js";
import { h, uid } from "./dom.js";
import { pictureOf, raster } from "./raster.js";

// The width of a caption, and of a column of pictures: 9rem.
const CAPTION = 144;

/** `shots` are pictures as they travel with {caption, box, mark, label}, captions in one language; `correct(shot)` gives an
 *  element that goes below a picture that can be corrected, or null. */
export function shotList(shots, size, correct = () => null) {
  return h("ul", { class: size > CAPTION ? "shots large" : "shots" }, shots.map((shot) => {
    const id = uid("shot");
    return h("li", {}, h("figure", {}, drawn(shot, size, id),
      h("figcaption", { id }, shot.caption.split("\n").map((line) => h("span", {}, line))), shot.mark ? correct(shot) : null));
  }));
}

function drawn(shot, size, caption) {
  const picture = pictureOf(shot);
  const signed = shot.encoding === "float32";
  const scale = signed ? signedScale(reachOf(picture.data)) : greyScale(0, 255);
  const bitmap = raster(picture, picture.channels === 3 ? "all" : 0, scale);
  const factor = size / Math.max(picture.height, picture.width);
  // Twice as many pixels as shown: the outline stays thin.
  const canvas = h("canvas", { role: "img", "aria-labelledby": caption, width: String(Math.round(2 * factor * picture.width)), height: String(Math.round(2 * factor * picture.height)) });
  canvas.style.width = `${Math.round(factor * picture.width)}px`;
  canvas.style.height = `${Math.round(factor * picture.height)}px`;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  if (shot.box) {
    const [top, left, rows, columns] = shot.box.map((length) => 2 * factor * length);
    for (const [colour, width] of [["#ffffff", 6], ["#d45a22", 3]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.strokeRect(left + 3, top + 3, Math.max(2, columns - 6), Math.max(2, rows - 6));
    }
  }
  return canvas;
}
