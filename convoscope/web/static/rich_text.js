// A lesson's text as the server read it: a tree of a few kinds of parts, drawn as elements. Whatever else it holds is text.

import { h } from "./dom.js";

const TAGS = ["p", "strong", "em", "code", "br", "ul", "ol", "li", "table", "thead", "tbody", "tr"];

/** The elements of {tag, href, right, children} nodes; `label` is what a screen reader calls a table or a long line. */
export function richText(nodes, label) {
  return nodes.map((node) => (typeof node === "string" ? node : element(node, label)));
}

function element({ tag, href, right, children }, label) {
  const inside = richText(children, label);
  const around = { class: "scroll", tabindex: "0", role: "group", "aria-label": label };
  if (tag === "a") return link(href, inside);
  if (tag === "pre") return h("pre", { tabindex: "0", role: "group", "aria-label": label }, inside);
  if (tag === "table") return h("div", around, h("table", { class: "sheet-table" }, inside));
  if (tag === "th" && inside.length) return h("th", { class: right ? "number" : null, scope: "col" }, inside);
  if (tag === "th" || tag === "td") return h("td", { class: right ? "number" : null }, inside);
  return TAGS.includes(tag) ? h(tag, {}, inside) : h("span", {}, inside);
}

// A place on this page, or a website beyond it, which opens beside it and learns nothing of it.
function link(href, inside) {
  const here = href.startsWith("?");
  const beyond = /^(https?|mailto):/i.test(href);
  if (!here && !beyond) return h("span", {}, inside);
  return h("a", { href, target: beyond ? "_blank" : null, rel: beyond ? "noopener noreferrer" : null }, inside);
}

/** A text of an exercise: its lines as they are, and what stands in backticks as code. */
export function plainText(text) {
  return h("div", { class: "plain-text" }, inLine(text));
}

/** The same within a line, such as a title. */
export function inLine(text) {
  return text.split(/`([^`\n]+)`/).map((part, at) => (at % 2 ? h("code", {}, part) : part));
}
