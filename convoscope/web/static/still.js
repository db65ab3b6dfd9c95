// A picture that is only looked at: no cell of it can be chosen.

import { createMap } from "./map.js";

/** The element of `picture`, at most `side` wide; `label` is what a screen reader calls it, the caption if not given. */
export function stillPicture({ t, picture, scale, side, caption, label = caption, inColour = picture.channels === 3 }) {
  const map = createMap({ t, side: () => side });
  map.show({ picture, channel: inColour ? "all" : 0, lensChannel: 0, scale, lens: false });
  map.caption(caption);
  map.setLabel(label);
  return map.element;
}
