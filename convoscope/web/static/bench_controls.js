// The bench's form. It writes into the setting and says that something changed; what is wrong comes back by field.

import { h } from "./dom.js";
import { kernelOf } from "./bench_model.js";
import { checkbox, field, select, setOptions, textInput } from "./form.js";
import { createKernelParameters } from "./kernel_parameters.js";

/** options: {t, language, source, setting, onchange(), onkernel()}; onkernel when another kernel was chosen or resized.
 *  Returns {element, refresh(picture), faults(errors)}. */
export function createControls({ t, language, source, setting, onchange, onkernel }) {
  const kernels = new Map(source.kernels.map((kernel) => [kernel.spec.split(":")[0], kernel]));
  const meaning = h("p", { class: "hint" });
  const kernelPick = select([], "", (name) => choose(name));
  const size = field(t("kernel_size"), textInput("3", (text) => resize(text)));
  const parameters = createKernelParameters({ t, source, onkernel: (kernel) => take(kernelOf(kernel)) });
  const typed = (name) => textInput(setting[name], (text) => set(name, text));
  const paddingPick = select(paddingOptions(t), "valid", (kind) => setPadding(kind));
  const padding = field(t("padding"), typed("padding"), t("hint_padding"));
  const fields = {
    kernel: field(t("kernel"), kernelPick, "", { quiet: true }),
    padding, stride: field(t("stride"), typed("stride")),
    dilation: field(t("dilation"), typed("dilation")),
    "pool-size": field(t("pool_size"), typed("poolSize")),
    "pool-stride": field(t("pool_stride"), typed("poolStride")),
    "pool-dilation": field(t("dilation"), typed("poolDilation")),
    "pool-padding": field(t("padding"), typed("poolPadding"), t("hint_padding")),
  };
  const paddingKind = field(t("padding_kind"), paddingPick);
  const channels = field(t("channels_how"), select(
    [["each", t("channels_each")], ["sum", t("channels_sum")]], setting.channels, (value) => set("channels", value)));
  const pool = field(t("pooling"), select(
    [["none", t("pool_none")], ["max", t("pool_max")], ["avg", t("pool_avg")]], setting.pool, (value) => set("pool", value)), "", { quiet: true });
  const ceil = checkbox(t("ceil_mode"), setting.ceil, (value) => set("ceil", value));
  const countPad = checkbox(t("count_padding"), setting.countPad, (value) => set("countPad", value));
  const pooling = h("div", { class: "sub" },
    row(fields["pool-size"], fields["pool-stride"], fields["pool-dilation"]), h("p", { class: "hint" }, t("hint_pool")),
    fields["pool-padding"].element, ceil.element, countPad.element);
  const convolution = h("div", { class: "sub" }, parameters.element,
    row(size, fields.stride, fields.dilation),
    h("p", { class: "hint" }, t("hint_rows_columns")), paddingKind.element, fields.padding.element, channels.element);
  const element = h("form", { class: "controls", "aria-label": t("settings"), onsubmit: (event) => event.preventDefault() },
    h("fieldset", {}, h("legend", {}, t("convolution")), fields.kernel.element, meaning, convolution),
    h("fieldset", {}, h("legend", {}, t("pooling")), pool.element, pooling));

  function set(name, value) {
    setting[name] = value;
    arrange();
    onchange();
  }

  function setPadding(kind) {
    const given = { valid: "valid", same: "same", all: "1", sides: "1,1,1,1" }[kind];
    padding.control.value = given;
    set("padding", given);
    if (kind === "all" || kind === "sides") padding.control.focus();
  }

  function choose(name) {
    if (name === "none") take(null);
    else if (kernels.has(name)) take(kernelOf(kernels.get(name)));
  }

  function take(kernel) {
    setting.kernel = kernel;
    refresh();
    onkernel();
  }

  // A resized kernel keeps its middle; what is new is zero.
  function resize(text) {
    const parts = text.split(",").map((part) => Number(part.trim()));
    const [rows, columns] = parts.length === 1 ? [parts[0], parts[0]] : parts;
    const fits = parts.length <= 2 && [rows, columns].every((count) => Number.isInteger(count) && count >= 1 && count <= 31);
    size.fault(fits ? "" : t("error_kernel_size", { asked: text.trim() || "–" }));
    if (!fits) return;
    const old = setting.kernel;
    const [down, across] = [Math.floor((rows - old.rows) / 2), Math.floor((columns - old.columns) / 2)];
    const cells = Array.from({ length: rows * columns }, (_, at) => {
      const [row, column] = [Math.floor(at / columns) - down, (at % columns) - across];
      return row >= 0 && row < old.rows && column >= 0 && column < old.columns ? old.cells[row * old.columns + column] : "0";
    });
    setting.kernel = { ...old, name: null, rows, columns, cells };
    arrange();
    onkernel();
  }

  /** Bring the form in line with the setting; `picture` (if given) decides whether channels are asked about. */
  function refresh(picture) {
    if (picture) channels.element.hidden = picture.channels === 1 || setting.kernel?.filters * setting.kernel?.channels > 1;
    for (const [name, control] of Object.entries({
      padding: padding.control, stride: fields.stride.control, dilation: fields.dilation.control,
      poolSize: fields["pool-size"].control, poolStride: fields["pool-stride"].control,
      poolPadding: fields["pool-padding"].control, poolDilation: fields["pool-dilation"].control, channels: channels.control, pool: pool.control,
    })) if (control.value !== setting[name]) control.value = setting[name];
    ceil.control.checked = setting.ceil;
    countPad.control.checked = setting.countPad;
    if (setting.kernel && document.activeElement !== size.control) {
      const { rows, columns } = setting.kernel;
      size.control.value = rows === columns ? String(rows) : `${rows},${columns}`;
      size.fault("");
    }
    arrange();
  }

  function arrange() {
    const name = setting.kernel === null ? "none" : setting.kernel.name?.split(":")[0] ?? "edited";
    const options = [...kernels].map(([key, kernel]) => [key, kernel.names[language]]);
    options.push(["none", t("kernel_none")]);
    if (name === "edited") options.push(["edited", t("kernel_edited")]);
    if (kernelPick.options.length !== options.length) setOptions(kernelPick, options, name);
    kernelPick.value = name;
    meaning.textContent = kernels.get(name)?.meanings[language] ?? "";
    parameters.show(kernels.get(name), setting.kernel?.name);
    convolution.hidden = name === "none";
    size.element.hidden = setting.kernel !== null && setting.kernel.filters * setting.kernel.channels > 1;
    pooling.hidden = setting.pool === "none";
    countPad.element.hidden = setting.pool !== "avg";
    const kind = paddingKindOf(setting.padding);
    paddingPick.value = kind;
    fields.padding.element.hidden = kind === "valid" || kind === "same";
  }

  refresh();
  return {
    element, refresh,
    faults(errors) {
      for (const [name, one] of Object.entries(fields)) {
        if (name !== "kernel") one.fault(errors[name] ? t(errors[name].key, errors[name].values) : "");
      }
    },
  };
}

// Narrow fields side by side, with room for their faults below.
function row(...fields) {
  return [h("div", { class: "row" }, fields.map(({ element }) => element)), fields.map(({ faultElement }) => faultElement)];
}

function paddingOptions(t) {
  return [["valid", t("padding_valid")], ["same", t("padding_same")], ["all", t("padding_all")], ["sides", t("padding_sides")]];
}

function paddingKindOf(text) {
  const typed = text.trim().toLowerCase();
  if (typed === "valid" || typed === "same") return typed;
  return typed.includes(",") ? "sides" : "all";
}
