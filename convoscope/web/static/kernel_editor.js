// The kernel as a grid of number fields. Arrow keys walk from field to field; numbers may be fractions such as 1/9.

import { signedScale } from "./colour.js";
import { fill, h, uid } from "./dom.js";
import { select, setOptions } from "./form.js";
import { parseNumber, shortened } from "./numbers.js";

/** options: {t, channelName, onedit()}. Returns {element, show(kernel), fault(text)}; edits change the kernel in place. */
export function createKernelEditor({ t, channelName, onedit }) {
  const caption = h("figcaption", {});
  const faultId = uid("fault");
  const grid = h("div", { class: "kernel", role: "group" });
  const fault = h("p", { class: "fault", id: faultId, role: "alert" });
  const filterPick = select([], "", () => pick());
  const slicePick = select([], "", () => pick());
  filterPick.setAttribute("aria-label", t("filter"));
  slicePick.setAttribute("aria-label", t("channel"));
  const picks = h("div", { class: "picks" }, filterPick, slicePick);
  const element = h("figure", { class: "kernel-figure" }, caption, picks, h("div", { class: "scroll" }, grid), fault);
  let kernel = null;
  let named = "";
  let inputs = [];

  function show(next, filter = 0) {
    const same = kernel && kernel.rows === next.rows && kernel.columns === next.columns
      && kernel.filters === next.filters && kernel.channels === next.channels;
    kernel = next;
    const names = [next.channels, channelName(0)].join();
    if (!same || names !== named) build();
    named = names;
    if (kernel.filters > 1) filterPick.value = String(filter);
    refill();
  }

  function build() {
    caption.textContent = t("kernel_caption", { rows: kernel.rows, columns: kernel.columns });
    grid.setAttribute("aria-label", caption.textContent);
    grid.style.setProperty("--columns", kernel.columns);
    setOptions(filterPick, counted(kernel.filters, (at) => t("filter_number", { number: at })), "0");
    setOptions(slicePick, counted(kernel.channels, channelName), "0");
    filterPick.hidden = kernel.filters === 1;
    slicePick.hidden = kernel.channels === 1;
    picks.hidden = filterPick.hidden && slicePick.hidden;
    inputs = Array.from({ length: kernel.rows * kernel.columns }, (_, at) => h("input", {
      type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": faultId,
      "aria-label": t("kernel_cell", { row: Math.floor(at / kernel.columns), column: at % kernel.columns }),
      oninput: () => edit(at), onkeydown: (event) => walk(event, at), onfocus: () => { write(at); inputs[at].select(); }, onblur: () => write(at),
    }));
    fill(grid, inputs);
  }

  function start() {
    const slice = Number(filterPick.value || 0) * kernel.channels + Number(slicePick.value || 0);
    return slice * kernel.rows * kernel.columns;
  }

  function refill() {
    inputs.forEach((_, at) => write(at));
    colour();
  }

  // A field holds all its digits only while it is written in; else the first ones, and its title all.
  function write(at) {
    const input = inputs[at];
    const text = kernel.cells[start() + at];
    const short = shortened(text);
    const next = document.activeElement === input ? text : short;
    if (input.value !== next) input.value = next;
    input.title = short === text ? "" : text;
  }

  function pick() {
    refill();
    onedit(Number(filterPick.value || 0));
  }

  function edit(at) {
    kernel.cells[start() + at] = inputs[at].value;
    kernel.name = null;
    colour();
    onedit(Number(filterPick.value || 0));
  }

  function colour() {
    grid.classList.toggle("dense", inputs.some(({ value }) => value.length > 4));
    const values = inputs.map((_, at) => parseNumber(kernel.cells[start() + at]));
    const scale = signedScale(Math.max(...values.map((value) => Math.abs(value) || 0)));
    inputs.forEach((input, at) => {
      const bad = Number.isNaN(values[at]);
      input.style.backgroundColor = bad ? "" : scale.css(values[at]);
      input.style.color = bad ? "" : scale.ink(values[at]);
      if (bad) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    });
  }

  // Left and right leave a field only at its ends (or when all of it is selected), so that text can still be edited.
  function walk(event, at) {
    const input = inputs[at];
    const whole = input.selectionStart === 0 && input.selectionEnd === input.value.length;
    const atStart = whole || input.selectionEnd === 0;
    const atEnd = whole || input.selectionStart === input.value.length;
    const column = at % kernel.columns;
    const target = {
      ArrowUp: at - kernel.columns, ArrowDown: at + kernel.columns,
      ArrowLeft: atStart && column > 0 ? at - 1 : -1, ArrowRight: atEnd && column < kernel.columns - 1 ? at + 1 : -1,
    }[event.key];
    if (target === undefined || !inputs[target]) return;
    event.preventDefault();
    inputs[target].focus();
  }

  return {
    element, show,
    fault(text) {
      fault.textContent = text;
    },
  };
}

function counted(count, label) {
  return Array.from({ length: count }, (_, at) => [String(at), label(at)]);
}
