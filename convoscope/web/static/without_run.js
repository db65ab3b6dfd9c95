// Not a fault: without a run some levels have nothing to look into, and say how to come by one.

import { h } from "./dom.js";

/** A heading, the server's sentence, and the commands. */
export function withoutRun(t, title, sentence) {
  return h("section", {}, h("h2", {}, title), h("p", { class: "lead" }, sentence),
    h("pre", { tabindex: "0", role: "group", "aria-label": t("commands") }, "convoscope train --out runs/mnist\nconvoscope serve runs/mnist"));
}
