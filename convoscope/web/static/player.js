// Walks over the outputs: play, step, back, speed. It knows how many there are, not what they show.

import { h, wantsStillness } from "./dom.js";

const SPEEDS = [1, 2, 4, 8, 20, 60, 240, 1000];

/** options: {t, size() -> [rows, columns], at() -> [row, column], go(row, column, glide)}; glide in 0..1 is how
 *  far the window has come on its way to the next place. Returns {element, stop()}. */
export function createPlayer({ t, size, at, go, onstop }) {
  const play = h("button", { type: "button", class: "play", onclick: () => (running ? stop() : start()) }, t("play"));
  const speed = h("input", { type: "range", min: "0", max: String(SPEEDS.length - 1), value: "1", "aria-label": t("speed"), oninput: () => tell() });
  const told = h("output", {});
  const element = h("div", { class: "player", role: "group", "aria-label": t("player") },
    h("button", { type: "button", onclick: () => jump(0) }, t("first")),
    h("button", { type: "button", onclick: () => step(-1) }, t("back")), play,
    h("button", { type: "button", onclick: () => step(1) }, t("step")),
    h("label", { class: "speed" }, h("span", {}, t("speed")), speed), told);
  let running = false;
  let previous = 0;
  let owed = 0;

  function tell() {
    told.textContent = t("steps_a_second", { count: SPEEDS[speed.value] });
    speed.setAttribute("aria-valuetext", told.textContent);
  }

  function place() {
    const [row, column] = at();
    return row * size()[1] + column;
  }

  function jump(index, glide = 0, playing = false) {
    const columns = size()[1];
    go(Math.floor(index / columns), index % columns, glide, playing);
  }

  function step(count) {
    stop();
    const total = size()[0] * size()[1];
    jump(Math.max(0, Math.min(total - 1, place() + count)));
  }

  function start() {
    running = true;
    play.textContent = t("pause");
    if (place() >= size()[0] * size()[1] - 1) jump(0);
    previous = performance.now();
    owed = 0;
    requestAnimationFrame(frame);
  }

  // Time decides how far the window has come, so a slow frame skips ahead instead of slowing the walk.
  function frame(now) {
    if (!running) return;
    // A frame's time is that of its begin, which may be before the walk began.
    owed += (Math.max(0, now - previous) / 1000) * SPEEDS[speed.value];
    previous = Math.max(previous, now);
    const whole = Math.floor(owed);
    owed -= whole;
    const last = size()[0] * size()[1] - 1;
    const next = Math.min(last, place() + whole);
    if (next === last) {
      jump(last);
      stop();
      return;
    }
    jump(next, wantsStillness() ? 0 : ease(owed), true);
    requestAnimationFrame(frame);
  }

  function stop() {
    if (!running) return;
    running = false;
    play.textContent = t("play");
    onstop?.();
  }

  tell();
  return { element, stop };
}

// Rest on the place for most of the step, then glide on.
function ease(part) {
  const late = Math.max(0, (part - 0.55) / 0.45);
  return late * late * (3 - 2 * late);
}
