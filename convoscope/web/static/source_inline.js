// The same source without a server: all that a notebook or a report needs is handed over with it.

import { pictureOf } from "./raster.js";

/** A source over `given` {kernels, pictures: [{name, names, credit, …encoded}]}. */
export function inlineSource(given, language) {
  const pictures = given.pictures.map((picture) => ({ ...picture, credit: picture.credit?.[language] ?? "" }));
  return {
    kernels: given.kernels, pictures, drawable: false,
    picture: async (name) => pictureOf(pictures.find((picture) => picture.name === name)),
  };
}
