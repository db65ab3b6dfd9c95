// The parameters of kernels that have some (Gabor's angle and wavelength, a blur's size), asked of the server.

import { fill, h } from "./dom.js";
import { field, textInput } from "./form.js";

/** options: {t, source, onkernel(kernel)}. Returns {element, show(kernel, spec)}; without a server it stays empty. */
export function createKernelParameters({ t, source, onkernel }) {
  const element = h("div", { class: "parameters" });
  let shownFor = null;
  let asked = 0;

  function show(kernel, spec) {
    const names = source.kernel ? Object.keys(kernel?.parameters ?? {}) : [];
    const key = names.length && spec ? kernel.spec : null;
    if (key === shownFor) return;
    shownFor = key;
    // What was asked for the kernel before is no answer for this one.
    asked += 1;
    const values = { ...kernel?.parameters, ...given(spec) };
    fill(element, key ? names.map((name) => one(kernel, name, values)) : []);
  }

  function one(kernel, name, values) {
    const entry = field(t(`parameter_${name}`), textInput(String(values[name]), (text) => {
      values[name] = text.trim();
      ask(kernel, values, entry);
    }), name === "size" && Number(kernel.parameters.size) === 0 ? t("hint_size_zero") : "");
    return entry.element;
  }

  async function ask(kernel, values, entry) {
    asked += 1;
    const mine = asked;
    const words = Object.entries(values).map(([name, value]) => `${name}=${value}`).join(",");
    try {
      const built = await source.kernel(`${kernel.spec}:${words}`);
      if (mine !== asked) return;
      entry.fault("");
      onkernel(built);
    } catch (error) {
      if (mine === asked) entry.fault(error.message);
    }
  }

  return { element, show };
}

function given(spec) {
  const words = spec?.split(":")[1];
  return words ? Object.fromEntries(words.split(",").map((word) => word.split("="))) : {};
}
