// A picture as a bitmap of one pixel a value; canvases then only enlarge it.

/** Paint one channel of `picture` (or all three as a colour picture, channel "all") with `scale` on a small canvas. */
export function raster(picture, channel, scale, canvas = document.createElement("canvas")) {
  const { height, width } = picture;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  if (channel === "all") paintColour(pixels, picture, scale);
  else paintChannel(pixels, picture, channel, scale);
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Decode base64 bytes of `encoding` "uint8", "float32" or "float64" into numbers. */
export function decode(text, encoding) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  if (encoding === "float64") return new Float64Array(bytes.buffer);
  return encoding === "float32" ? new Float32Array(bytes.buffer) : Float32Array.from(bytes);
}

/** A picture of whole numbers 0…255 as it travels to the server. */
export function bytesOf({ channels, height, width, data }) {
  let text = "";
  for (const value of data) text += String.fromCharCode(value);
  return { channels, height, width, data: btoa(text) };
}

/** A picture as it travels ({channels, height, width, encoding, data: base64}), with its numbers decoded. */
export function pictureOf({ channels, height, width, encoding, data }) {
  return { channels, height, width, data: decode(data, encoding) };
}

function paintChannel(pixels, picture, channel, scale) {
  const { data } = picture;
  const { table, low, factor } = scale;
  const start = channel * pixels.length;
  const last = table.length - 1;
  for (let index = 0; index < pixels.length; index++) {
    const step = ((data[start + index] - low) * factor + 0.5) | 0;
    pixels[index] = table[step < 0 ? 0 : step > last ? last : step];
  }
}

function paintColour(pixels, picture, scale) {
  const { data } = picture;
  const size = pixels.length;
  const factor = 255 / (scale.high - scale.low || 1);
  for (let index = 0; index < size; index++) {
    const red = level((data[index] - scale.low) * factor);
    const green = level((data[size + index] - scale.low) * factor);
    const blue = level((data[2 * size + index] - scale.low) * factor);
    pixels[index] = (255 << 24) | (blue << 16) | (green << 8) | red;
  }
}

function level(value) {
  return value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0;
}
