// The kernel bench: picture, kernel, output, and the sum behind any output.

import { compute, kernelOf, settingOf, unitAt } from "./bench_model.js";
import { createControls } from "./bench_controls.js";
import { extent, greyScale, reachOf, scaleFor, signedScale } from "./colour.js";
import { readPixels } from "./convolve.js";
import { h, onceAFrame, uid } from "./dom.js";
import { select } from "./form.js";
import { createKernelEditor } from "./kernel_editor.js";
import { marksOf } from "./bench_marks.js";
import { shapeText, shapeValues, sizeText } from "./shapes.js";
import { createMap } from "./map.js";
import { shown } from "./numbers.js";
import { createPictureChooser } from "./picture_chooser.js";
import { createPlayer } from "./player.js";
import { drawingFromText, drawingToText, settingFromQuery, settingToQuery } from "./state.js";
import { createSum, sumLines } from "./sum.js";

const SUM_PAUSE = 90;
const LOOKS = ["auto", "signed", "picture"];

/** Build the bench of a link or a lesson, which may ask for a kernel with parameters of its own: gabor:angle=45. Options as
 *  createBench; resolves to the same. */
export async function openBench(options) {
  const { source, query = {}, preset = {} } = options;
  const specs = [query.kernel, preset.kernel].filter((spec) => spec?.includes(":"));
  // What the server doesn't know is left to be read as numbers, and told where the kernel is.
  const built = await Promise.all(specs.map((spec) => source.kernel(spec).catch(() => null)));
  const asked = Object.fromEntries(specs.map((spec, at) => [spec, built[at]]));
  return createBench({ ...options, source: { ...source, asked } });
}

/** Build the bench. options: {t, language, source, query, preset, setting, onstate(entries), announce(text)}.
 *  `preset` is a query of what a lesson starts from; `setting` (from a trace) goes before both. Returns {element, destroy()}. */
export function createBench({ t, language, source, query = {}, preset = {}, setting: given = null, onstate = () => {}, announce }) {
  const find = (name) => { const kernel = source.kernels.find(({ spec }) => spec === name) ?? source.asked?.[name]; return kernel ? kernelOf(kernel) : null; };
  const usual = settingOf(source.kernels.find(({ spec }) => spec === "cross") ?? source.kernels[0] ?? null);
  const standard = settingFromQuery(preset, usual, find);
  const setting = given ?? settingFromQuery(query, structuredClone(standard), find);
  const cursor = startCursor(query);
  const cache = {};
  const drawn = { picture: null, scale: null, key: "" };
  let picture = null;
  let pictureName = "";
  let stages = null;
  let scales = [];
  let glide = 0;
  let playing = false;
  let lastSum = 0;

  const side = () => figureSide(figures.clientWidth, setting.kernel?.columns ?? 0);
  const input = createMap({ t, side, onpoint: (row, column) => pointInput(row, column), onmove: (...by) => move(by) });
  const outputs = [0, 1].map((stage) => createMap({
    t, side, onpoint: (row, column) => { player.stop(); place(stage, row, column); }, onmove: (...by) => { choose(stage); move(by); } }));
  const editor = createKernelEditor({ t, channelName, onedit: (filter) => { if (setting.kernel.filters > 1) cursor.map = filter; changed(); } });
  const channelPick = h("select", { hidden: true, "aria-label": t("output_channel"), onchange: () => { cursor.map = Number(channelPick.value); drawMaps(); } });
  const lookPick = select(LOOKS.map((look) => [look, t(`look_${look}`)]), LOOKS.includes(query.look) ? query.look : "auto", () => drawMaps());
  lookPick.setAttribute("aria-label", t("look"));
  const player = createPlayer({ t, size: () => outputSize(), at: () => [cursor.row, cursor.column], go, onstop: () => { playing = false; glide = 0; drawMarks(); drawSum(); tellState(); } });
  const sum = createSum(t);
  const sumTitle = h("h3", {});
  const sumBox = h("section", { class: "sum", "aria-live": "off" }, sumTitle, sum.element);
  const readout = h("p", { class: "shape-line" });
  const controls = createControls({ t, language, source, setting, onchange: () => changed(), onkernel: () => { showKernel(); changed(); } });
  const chooser = createPictureChooser({
    t, language, source, name: startPicture(), missing: hasPicture() ? "" : query.picture, drawing: query.drawing ? drawingFromText(query.drawing, 1) : null, onpicture: take });
  const looks = h("div", { class: "picks" }, lookPick, channelPick);
  const legend = h("p", { class: "legend" });
  const [times, equal] = ["∗", "="].map((sign) => h("span", { class: "equation", "aria-hidden": "true" }, sign));
  const titleId = uid("title");
  const figures = h("div", { class: "figures" }, input.element, times, editor.element, equal, outputs[0].element, outputs[1].element);
  const element = h("section", { class: "bench", "aria-labelledby": titleId },
    h("h2", { id: titleId }, t("bench_title")), h("p", { class: "lead" }, t("bench_lead")),
    h("div", { class: "bench-layout" },
      h("div", { class: "side" }, chooser.element, controls.element),
      h("div", { class: "main" }, figures, legend, readout, looks, player.element, sumBox)));

  function hasPicture() {
    return query.picture === "drawing" ? source.drawable : source.pictures.some(({ name }) => name === query.picture);
  }

  function startPicture() {
    return hasPicture() ? query.picture : source.pictures[0].name;
  }

  function take(name, next) {
    const resized = !picture || picture.height !== next.height || picture.width !== next.width;
    if (resized) player.stop();
    if (resized && next.height > 60 && (picture || !query.at)) cursor.middle = true;
    picture = next;
    pictureName = name;
    showKernel();
    controls.refresh(picture);
    changed();
  }

  function showKernel() {
    for (const part of [editor.element, times, equal]) part.hidden = setting.kernel === null;
    if (setting.kernel) editor.show(setting.kernel, cursor.map);
  }

  const changed = onceAFrame(() => {
    if (!picture) return;
    controls.refresh(picture);
    const result = compute(setting, picture, cache);
    controls.faults(result.errors);
    editor.fault(result.errors.kernel ? t(result.errors.kernel.key, result.errors.kernel.values) : "");
    element.classList.toggle("stale", result.stages === null);
    if (result.stages) {
      stages = result.stages;
      settle();
      drawMaps();
    } else if (!stages) {
      // A link may hold a mistake: then there is only the picture.
      Object.assign(drawn, { picture, scale: scaleFor(picture.data), key: "" });
      drawInput(null);
      for (const map of outputs) map.element.hidden = true;
    }
    tellState();
  });

  // Keep the cursor on an output that exists; a stage that went away takes the cursor to the last one left.
  function settle() {
    cursor.stage = Math.max(0, Math.min(cursor.stage, stages.length - 1));
    const output = currentOutput();
    if (!output) return;
    cursor.map = clamp(cursor.map, output.channels);
    // A large picture is entered at its middle: its corner seldom shows anything.
    if (cursor.middle) Object.assign(cursor, { row: output.height >> 1, column: output.width >> 1, middle: false });
    cursor.row = clamp(cursor.row, output.height);
    cursor.column = clamp(cursor.column, output.width);
    const names = Array.from({ length: output.channels }, (_, map) => [String(map), mapName(map)]);
    channelPick.replaceChildren(...names.map(([value, label]) => h("option", { value }, label)));
    channelPick.value = String(cursor.map);
    channelPick.hidden = output.channels === 1;
  }

  function drawMaps() {
    if (drawn.picture !== picture) Object.assign(drawn, { picture, scale: scaleFor(picture.data), key: "" });
    drawInput(stages[0]);
    scales = [drawn.scale];
    outputs.forEach((map, at) => {
      const stage = stages[at];
      map.element.hidden = !stage;
      if (!stage) return;
      const scale = stage.kind === "convolution" ? outputScale(stage.output, scales[at]) : scales[at];
      scales.push(scale);
      const next = stages[at + 1];
      const whole = stage.output.channels === 3 && scale.kind === "grey" && picture.channels === 3;
      map.show({
        picture: stage.output, channel: whole ? "all" : cursor.map, lensChannel: cursor.map, scale, plan: next?.plan,
        read: next && { rows: readPixels(next.plan.rows), columns: readPixels(next.plan.columns) },
        padText: next && !next.countPad ? "" : "0",
      });
      map.caption(t(`${stage.kind}_caption`, { shape: shapeText(stage.output) }));
    });
    legend.textContent = legendText();
    readout.textContent = stages.map(({ plan, kind }) => sizeText(t, kind, plan)).join("  ");
    drawMarks();
    drawSum();
  }

  // The picture only changes its look with itself and with the window's walk, not with the kernel's numbers.
  function drawInput(first) {
    const channel = picture.channels === 3 && drawn.scale.kind === "grey" ? "all" : firstRead();
    const padText = first && first.kind !== "convolution" && !first.countPad ? "" : "0";
    const key = JSON.stringify([first?.plan, channel, firstRead(), padText]);
    if (drawn.key === key) return;
    drawn.key = key;
    input.show({
      picture, channel, lensChannel: firstRead(), scale: drawn.scale, plan: first?.plan, padText,
      read: first && { rows: readPixels(first.plan.rows), columns: readPixels(first.plan.columns) },
    });
    input.caption(t("input_caption", { shape: shapeText(picture) }));
  }

  // "As it is" shows a picture where the output still has the range of one, and signed colours otherwise.
  function outputScale(output, before) {
    const [low, high] = extent(output.data);
    const look = lookPick.value;
    if (look === "signed") return signedScale(reachOf(output.data));
    const slack = (before.high - before.low) * 1e-4;
    if (look === "picture" || (before.kind === "grey" && low >= before.low - slack && high <= before.high + slack)) {
      return before.kind === "grey" ? before : greyScale(low, high);
    }
    return low >= 0 ? greyScale(0, high) : signedScale(reachOf(output.data));
  }

  function legendText() {
    const axes = stages.flatMap(({ plan }) => [plan.rows, plan.columns]);
    const parts = [];
    if (axes.some(({ before, after }) => before + after > 0)) parts.push(t("legend_padding"));
    if (axes.some((axis) => readPixels(axis).includes(0))) parts.push(t("legend_ignored"));
    const signed = scales.find(({ kind }) => kind === "signed");
    if (signed) parts.push(t("legend_signed", { limit: shown(signed.high) }));
    return parts.join(" ");
  }

  function drawMarks() {
    const walked = currentOutput() ? marksOf(stages, picture, cursor, { glide, playing }) : { input: null, outputs: [] };
    input.mark(walked.input);
    outputs.forEach((map, at) => map.mark(walked.outputs[at] ?? null));
  }

  function drawSum() {
    const stage = stages?.[cursor.stage];
    if (!stage) { sumBox.hidden = true; return; }
    sumBox.hidden = false;
    lastSum = performance.now();
    const unit = unitAt(stage, cursor.map, cursor.row, cursor.column, channelName, scales[cursor.stage]);
    const values = { row: cursor.row, column: cursor.column, value: shown(unit.value, 7) };
    sumTitle.textContent = stage.output.channels > 1
      ? t("sum_at_map", { ...values, map: mapName(cursor.map) }) : t("sum_at", values);
    sum.show(unit);
    outputs[cursor.stage].setLabel(t(`${stage.kind}_label`, { ...shapeValues(stage.output), ...values }));
    input.setLabel(t("input_label", shapeValues(picture)));
  }

  function go(row, column, part, walking = false) {
    const moved = row !== cursor.row || column !== cursor.column;
    Object.assign(cursor, { row, column });
    glide = part;
    playing = walking;
    drawMarks();
    if (moved && (!walking || performance.now() - lastSum > SUM_PAUSE)) drawSum();
    if (moved && !walking) { speak(); tellState(); }
  }

  function move([rows, columns]) {
    player.stop();
    const output = currentOutput();
    if (!output) return;
    place(cursor.stage, clamp(cursor.row + rows, output.height), clamp(cursor.column + columns, output.width));
    speak();
  }

  function place(stage, row, column) {
    if (!stages?.[stage]) return;
    if (stage === cursor.stage && row === cursor.row && column === cursor.column && glide === 0) return;
    Object.assign(cursor, { stage, row, column });
    glide = 0;
    drawMarks();
    drawSum();
    tellState();
  }

  function choose(stage) {
    if (stages?.[stage]) cursor.stage = stage;
    settle();
  }

  // Pointing at an input pixel takes the window whose middle is nearest to it.
  function pointInput(row, column) {
    if (!stages?.length) return;
    player.stop();
    const { plan, output } = stages[0];
    const nearest = (at, axis, count) => clamp(Math.round((at + axis.before - (axis.extent - 1) / 2) / axis.stride), count);
    place(0, nearest(row, plan.rows, output.height), nearest(column, plan.columns, output.width));
  }

  function speak() {
    const stage = stages[cursor.stage];
    const unit = unitAt(stage, cursor.map, cursor.row, cursor.column, channelName, scales[cursor.stage]);
    const lines = sumLines(t, unit);
    const short = lines.length === 1 && lines[0].length < 120 ? lines[0] : shown(unit.value, 7);
    announce(t("say_output", { row: cursor.row, column: cursor.column, sum: short }));
  }

  function tellState() {
    onstate({
      picture: pictureName === "upload" ? "" : pictureName,
      drawing: pictureName === "drawing" ? drawingToText(picture, 1) : "",
      ...settingToQuery(setting, standard), look: lookPick.value === "auto" ? "" : lookPick.value,
      at: [cursor.stage, cursor.map, cursor.row, cursor.column].join(","),
    });
  }

  function outputSize() {
    const output = currentOutput();
    return output ? [output.height, output.width] : [0, 0];
  }

  function currentOutput() {
    return stages?.[cursor.stage]?.output;
  }

  function firstRead() {
    const output = stages?.[0]?.output;
    return output && output.channels === picture.channels ? clamp(cursor.map, picture.channels) : 0;
  }

  function channelName(index) {
    return picture?.channels === 3 ? t(["channel_red", "channel_green", "channel_blue"][index]) : t("channel_number", { number: index });
  }

  function mapName(index) {
    const each = stages?.[0]?.kind !== "convolution" || stages[0].each;
    return each ? channelName(index) : t("filter_number", { number: index });
  }

  showKernel();
  chooser.load();
  return { element, destroy: () => player.stop() };
}

function startCursor(query) {
  const [stage, map, row, column] = (query.at ?? "").split(",").map((part) => Math.max(0, Number.parseInt(part, 10) || 0));
  return { stage: stage ?? 0, map: map ?? 0, row: row ?? 0, column: column ?? 0 };
}

// Picture, kernel and output stand side by side where there is room for that, one under the other where not.
function figureSide(room, kernelColumns) {
  const beside = (room - kernelColumns * 50 - 150) / 2;
  return beside >= 230 ? Math.min(360, beside) : 360;
}

function clamp(index, size) {
  return Math.max(0, Math.min(size - 1, index));
}
