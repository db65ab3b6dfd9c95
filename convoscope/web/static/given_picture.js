// The picture that the network looks at: one of the test pictures, a drawing, or an upload; always brought to the
// network's input by the server, which tells each step.

import { scaleFor } from "./colour.js";
import { h } from "./dom.js";
import { checkbox, field, select } from "./form.js";
import { createGallery } from "./gallery.js";
import { createPad } from "./pad.js";
import { bytesOf, pictureOf } from "./raster.js";
import { drawingFromText, drawingToText } from "./state.js";

const SAMPLES = 24;
const INK = 255;
const SIDE = 28;
const PAUSE = 120;

/** options: {t, source, query, network, onseen(seen, entries), onlost()}; seen is {steps, picture, inputs, probabilities,
 *  label}, onlost is for a picture that can't be seen. Returns {element, load()}. */
export function createGivenPicture({ t, source, query, network, onseen, onlost }) {
  const kinds = [["drawing", t("given_drawing")], ["upload", t("given_upload")]];
  if (network.samples) kinds.unshift(["sample", t("given_sample")]);
  const start = query.drawing ? "drawing" : kinds[0][0];
  const pick = field(t("given_kind"), select(kinds, start, (kind) => choose(kind)));
  const gallery = createGallery({ label: t("given_sample"), onchoose: (index) => takeSample(index) });
  const pad = createPad({ t, side: SIDE, ink: INK, soft: true, ondraw: () => later() });
  const file = h("input", { type: "file", accept: "image/png,image/jpeg,image/gif,image/bmp,image/webp", onchange: () => takeFile() });
  const fileField = field(t("picture_upload"), file, t("picture_upload_hint"));
  const invert = checkbox(t("given_invert"), false, () => takeFile());
  const places = {
    sample: gallery.element, drawing: pad.element, upload: h("div", { class: "sub" }, fileField.element, invert.element) };
  const fault = h("p", { class: "fault", role: "alert" });
  const element = h("div", { class: "given" }, pick.element, Object.values(places), fault);
  const first = Math.max(0, Number.parseInt(query.sample, 10) || 0);
  let samples = [];
  let sample = 0;
  let page = 0;
  let asked = 0;
  let timer = 0;

  async function load() {
    if (network.samples) {
      page = Math.min(first, network.samples - 1) - (Math.min(first, network.samples - 1) % SAMPLES);
      const answers = await source.ask(`/network/samples?start=${page}&count=${SAMPLES}`);
      samples = answers.map((sample) => ({ ...sample, picture: pictureOf(sample.picture) }));
      sample = Math.min(first, network.samples - 1) - page;
      gallery.show(samples.map(({ picture, label, index }) => ({
        picture, channel: picture.channels === 3 ? "all" : 0, scale: scaleFor(picture.data), name: t("sample_name", { index, label }) })), sample);
    }
    const drawn = query.drawing ? drawingFromText(query.drawing, INK) : null;
    if (drawn?.height === SIDE) pad.load(drawn.data);
    return choose(start);
  }

  function choose(kind) {
    pick.control.value = kind;
    for (const [name, place] of Object.entries(places)) place.hidden = name !== kind;
    if (kind === "sample") return takeSample(sample);
    if (kind === "drawing") return takeDrawing();
    return takeFile();
  }

  function takeSample(index) {
    sample = index;
    gallery.choose(index);
    const { picture, position, label } = samples[index];
    return see(() => source.post("/network/see", { picture: bytesOf(picture) }), { sample: position }, label);
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(takeDrawing, PAUSE);
  }

  function takeDrawing() {
    const picture = pad.picture();
    return see(() => source.post("/network/see", { picture: bytesOf(picture), drawn: true }), { drawing: drawingToText(picture, INK) });
  }

  function takeFile() {
    const [given] = file.files;
    if (!given) return null;
    return see(() => source.send(`/network/see/upload?invert=${invert.control.checked}`, given), {});
  }

  // Answers may overtake each other; only the last question's counts.
  async function see(ask, entries, label = null) {
    asked += 1;
    const mine = asked;
    try {
      const answer = await ask();
      if (mine !== asked) return;
      fault.textContent = "";
      const steps = answer.steps.map(({ name, picture }) => ({ name, picture: pictureOf(picture) }));
      await onseen({
        steps, picture: steps.at(-1).picture, inputs: pictureOf(answer.inputs), probabilities: answer.probabilities, label }, entries);
    } catch (error) {
      if (mine !== asked) return;
      fault.textContent = error.message;
      onlost();
    }
  }

  return { element, load };
}

/** The likeliest class of {label, probability} entries. */
export function likeliest(probabilities) {
  return probabilities.reduce((best, one) => (one.probability > best.probability ? one : best));
}

/** A share as a percentage in words. */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 2 : 1)}\u00a0%`;
}
