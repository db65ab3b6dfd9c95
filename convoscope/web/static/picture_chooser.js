// Where the picture comes from: one that is built in, one that is drawn, one that is uploaded.

import { h } from "./dom.js";
import { field, select } from "./form.js";
import { createPad } from "./pad.js";

const SIDES = ["5", "7", "10", "16", "28"];
const MOST_BYTES = 10 * 1024 * 1024;

/** options: {t, language, source, name, missing: the picture of a link that isn't here, or "", drawing,
 *  onpicture(name, picture)}. Returns {element, load()}; load() fetches the first picture. */
export function createPictureChooser({ t, language, source, name, missing, drawing, onpicture }) {
  const options = source.pictures.map((picture) => [picture.name, picture.names[language]]);
  if (source.drawable) options.push(["drawing", t("picture_draw")]);
  const pick = field(t("picture"), select(options, name, (value) => choose(value)), "", { quiet: true });
  const sidePick = field(t("pad_side"), select(SIDES.map((side) => [side, `${side} × ${side}`]),
    String(drawing?.height ?? 7), () => newPad(null)));
  const padPlace = h("div", {});
  const padBox = h("div", { hidden: true }, sidePick.element, padPlace);
  const credit = h("p", { class: "hint" });
  const file = h("input", { type: "file", accept: "image/png,image/jpeg,image/gif,image/bmp,image/webp", onchange: () => upload() });
  const fileField = field(t("picture_upload"), file, t("picture_upload_hint"));
  const element = h("fieldset", { class: "chooser" }, h("legend", {}, t("picture")), pick.element, credit, padBox,
    source.upload ? fileField.element : null);
  let pad = null;
  let asked = 0;

  async function choose(value) {
    asked += 1;
    const mine = asked;
    const entry = source.pictures.find((picture) => picture.name === value);
    padBox.hidden = value !== "drawing";
    credit.textContent = entry?.credit ?? "";
    if (value === "drawing") {
      if (!pad) newPad(drawing);
      else onpicture("drawing", pad.picture());
      return;
    }
    if (!entry) return;
    try {
      const picture = await source.picture(value);
      if (mine !== asked) return;
      pick.fault("");
      onpicture(value, picture);
    } catch (error) {
      if (mine === asked) pick.fault(error.message);
    }
  }

  function newPad(start) {
    const side = Number(sidePick.control.value);
    pad = createPad({ t, side, ink: 1, size: 224, ondraw: (picture) => onpicture("drawing", picture) });
    padPlace.replaceChildren(pad.element);
    if (start && start.height === side) pad.load(start.data);
    onpicture("drawing", pad.picture());
  }

  async function upload() {
    const [given] = file.files;
    if (!given) return;
    if (given.size > MOST_BYTES) {
      fileField.fault(t("upload_too_large", { most: 10 }));
      return;
    }
    asked += 1;
    const mine = asked;
    try {
      const picture = await source.upload(given);
      if (mine !== asked) return;
      fileField.fault("");
      padBox.hidden = true;
      credit.textContent = given.name;
      if (![...pick.control.options].some(({ value }) => value === "upload")) {
        pick.control.append(h("option", { value: "upload", disabled: true }, t("picture_uploaded")));
      }
      pick.control.value = "upload";
      onpicture("upload", picture);
    } catch (error) {
      if (mine === asked) fileField.fault(error.message);
    }
    file.value = "";
  }

  async function load() {
    await choose(pick.control.value);
    if (missing && asked === 1) pick.fault(t("picture_missing"));
  }

  return { element, load };
}
