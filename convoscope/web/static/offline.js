// The classifier in one file: it predicts in the browser, without a server, and checks itself on test pictures.

import { createClassify } from "./classify.js";
import { greyScale } from "./colour.js";
import { createComputer, softmax } from "./compute.js";
import { h } from "./dom.js";
import { createGallery } from "./gallery.js";
import { percent } from "./given_picture.js";
import { centred, fit, scaled } from "./prepare.js";
import { decode, pictureOf } from "./raster.js";

const MOST_PIXELS = 2048 * 2048;

/** Build the view of `given` {classifier, network, scaling, weights, checks: [{picture, label, probabilities}]}. */
export function createOffline({ t, given, announce }) {
  const { classifier, network, scaling, checks } = given;
  const compute = createComputer(network, decode(given.weights, "float32"));
  const { classes } = classifier;

  function shares(picture, prepare = fit) {
    return softmax(compute(scaled(prepare(picture, network.shape), scaling)));
  }

  function prediction(picture, prepare) {
    const found = shares(picture, prepare);
    const best = found.indexOf(Math.max(...found));
    return { label: classes[best], probability: found[best], probabilities: Object.fromEntries(classes.map((name, at) => [name, found[at]])) };
  }

  // What the server would be asked for; the paths say how to prepare, as there.
  const source = {
    post: async (_path, { images }) => ({ predictions: images.map((image) => prediction(pictureOf({ ...image, encoding: "uint8" }), centred)) }),
    send: async (path, file) => {
      const picture = await pictureIn(file, t);
      if (path.endsWith("invert=true")) picture.data = picture.data.map((value) => 255 - value);
      return { predictions: [prediction(picture, fit)] };
    },
  };

  const level = createClassify({ t, source, query: {}, classifier, onstate: () => {}, announce });
  const told = h("p", {});
  const gallery = createGallery({ label: t("given_sample"), onchoose: (at) => tell(at) });
  const pictures = checks.map(({ picture }) => pictureOf(picture));

  function tell(at) {
    const { label, probability } = prediction(pictures[at]);
    told.textContent = t("offline_sample", { label, share: percent(probability), truth: checks[at].label });
    announce(told.textContent);
  }

  const section = h("section", {}, h("h3", {}, t("given_sample")), h("p", { class: "hint" }, checked()), gallery.element, told);
  gallery.show(pictures.map((picture, at) => ({
    picture, channel: picture.channels === 3 ? "all" : 0, scale: greyScale(0, 255), name: `${at + 1}: ${checks[at].label}` })), -1);

  /** The page's own certificate: the same pictures here and where the file was made. */
  function checked() {
    let [same, difference] = [0, 0];
    checks.forEach(({ probabilities }, at) => {
      const found = shares(pictures[at]);
      const most = (list) => list.indexOf(Math.max(...list));
      same += most(found) === most(probabilities);
      found.forEach((share, place) => { difference = Math.max(difference, Math.abs(share - probabilities[place])); });
    });
    return t("offline_checked", { same, count: checks.length, difference: difference.toExponential(0) });
  }

  const element = h("div", {}, level.element, checks.length ? section : null);
  return { element, destroy: level.destroy };
}

/** A picture file as bytes (3, H, W), transparency laid over white, turned as its EXIF says where the browser does that. */
async function pictureIn(file, t) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw new Error(t("upload_type"));
  }
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw new Error(t("upload_pixels", { width, height, most: MOST_PIXELS }));
  const context = h("canvas", { width: String(width), height: String(height) }).getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const size = width * height;
  return { channels: 3, height, width, data: Float32Array.from({ length: 3 * size }, (_, at) => data[4 * (at % size) + Math.floor(at / size)]) };
}
