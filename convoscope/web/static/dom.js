// Elements, made in one line; nothing here knows what they are for.

let count = 0;

/** A name no other element has, however many views share a page (a notebook shows many). */
export function uid(stem) {
  count += 1;
  return `cs-${stem}-${count}`;
}

/** An element: h("p", {class: "note"}, "text", child). Functions become listeners (onclick), null and false are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// The browser knows the address that names SVG; nothing here is ever fetched.
const SVG = Object.assign(document.createElement("div"), { innerHTML: "<svg></svg>" }).firstChild.namespaceURI;

/** An element of a drawing; properties and children that are null are left out. */
export function svg(tag, properties, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) if (value !== null) element.setAttribute(name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null));
  return element;
}

/** Put `children` in place of what `parent` holds. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return parent;
}

/** Call `work` at once, but at most once a frame: what is asked for meanwhile is done in the next one. */
export function onceAFrame(work) {
  let resting = true;
  let asked = false;
  const frame = () => {
    resting = !asked;
    if (!asked) return;
    asked = false;
    requestAnimationFrame(frame);
    work();
  };
  return () => {
    if (!resting) {
      asked = true;
      return;
    }
    resting = false;
    requestAnimationFrame(frame);
    work();
  };
}

/** Whether the reader asked for less motion. */
export function wantsStillness() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
