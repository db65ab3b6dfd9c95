// One unit: where it looks on the picture, and the sum that made it, beside the number that PyTorch computed.

import { scaleFor } from "./colour.js";
import { fill, h } from "./dom.js";
import { createMap } from "./map.js";
import { shown } from "./numbers.js";
import { createSum, sumLines } from "./sum.js";

/** options: {t, onbench(trace)}. Returns {element, input, picture(picture), show(trace), clear()}. */
export function createUnitView({ t, side, onbench }) {
  const input = createMap({ t, side });
  const title = h("h3", {});
  const verdict = h("p", { class: "verdict" });
  const fieldLine = h("p", { class: "hint" });
  const place = h("div", {});
  const sum = createSum(t);
  const bench = h("button", { type: "button", onclick: () => onbench(current) }, t("unit_bench"));
  const element = h("section", { class: "sum" }, title, verdict, place, fieldLine, bench);
  let current = null;
  let pixels = null;

  function show(trace) {
    current = trace;
    const { calculation, region } = trace;
    const [top, left] = [region.rows[0], region.columns[0]];
    const [rows, columns] = [region.rows[1] - top, region.columns[1] - left];
    input.mark({ top, left, rows, columns, heat: { top, left, rows, columns, values: trace.effective } });
    input.setLabel(t("field_label", { top, bottom: region.rows[1] - 1, left, right: region.columns[1] - 1 }));
    fieldLine.textContent = t("field_line", { rows, columns, whole: trace.receptive_field ? trace.receptive_field.join(" × ") : "–" });
    title.textContent = t("unit_title", { layer: trace.layer, place: trace.place.join(", "), value: shown(trace.value, 7) });
    verdict.textContent = trace.same ? t("pytorch_same", { value: shown(trace.pytorch, 7) })
      : t("pytorch_differs", { value: shown(trace.pytorch, 9), difference: trace.difference.toExponential(1).replace("-", "−") });
    verdict.classList.toggle("differs", !trace.same);
    const unit = unitOf(t, calculation);
    bench.hidden = !calculation.kernel || trace.input_shape.length !== 3 || calculation.kernel[0].length * calculation.kernel[0][0].length > 121;
    if (unit) sum.show(unit);
    fill(place, unit ? sum.element : h("p", { class: "sum-line" }, calculation.text));
  }

  return {
    element, input, show,
    picture(next, channel) {
      pixels = next;
      input.show({ picture: pixels, channel, lensChannel: 0, scale: scaleFor(pixels.data), lens: false });
      input.caption(t("field_caption", { shape: `${next.height} × ${next.width}` }));
    },
    spoken(trace) {
      const unit = unitOf(t, trace.calculation);
      const lines = unit ? sumLines(t, unit) : [trace.calculation.text];
      return `${title.textContent}. ${lines.at(-1).length < 140 ? lines.at(-1) : ""} ${verdict.textContent}`;
    },
    clear() {
      input.mark(null);
      title.textContent = "";
      verdict.textContent = "";
      fieldLine.textContent = "";
      bench.hidden = true;
      fill(place);
    },
  };
}

// A calculation as the server tells it, in the form that sum.js shows; null for formulas, which are told as text.
function unitOf(t, calculation) {
  const { window, is_padding: padding, value } = calculation;
  const inside = padding.flat().map((outside) => !outside);
  const all = window.flat(2);
  const common = { rows: padding.length, columns: padding[0].length, value, single: true, inputScale: scaleFor(all) };
  if (calculation.kernel) {
    const channels = window.map((rows, index) => ({
      name: t("channel_number", { number: calculation.first_channel + index }), pixels: rows.flat(),
      weights: calculation.kernel[index].flat(), inside, sum: total(calculation.products[index].flat()),
    }));
    return { ...common, kind: "convolution", channels, bias: calculation.bias ?? 0 };
  }
  if (calculation.kind === "max" || calculation.kind === "avg") {
    const channel = { name: "", pixels: window[0].flat(), inside: calculation.takes_part.flat() };
    return { ...common, kind: calculation.kind, channels: [channel], counted: calculation.divisor, countPad: false };
  }
  return null;
}

function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}
