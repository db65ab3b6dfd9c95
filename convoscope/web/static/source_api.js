// Everything the page asks of its server. A fault comes back as an Error whose message is the server's sentence.

import { pictureOf } from "./raster.js";

const BASE = "/api/v1";

/** A source of kernels, pictures and (where a run is served) the network, asked in `language`. `handed` is a picture that
 *  another level hands over. */
export async function serverSource(language, t, handed = null) {
  const ask = (path, options) => request(path, language, t, options);
  const { kernels, pictures } = await ask("/bench");
  const send = (path, file) => ask(path, { method: "POST", body: file });
  const post = (path, value) => ask(path, {
    method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });
  return {
    kernels, drawable: true, ask, post, send,
    pictures: [
      ...pictures.map((picture) => ({ ...picture, credit: picture.credit[language] ?? "" })),
      ...(handed ? [{ name: "handed", names: { [language]: t("picture_handed") }, credit: "" }] : []),
    ],
    kernel: (spec) => ask(`/kernel?spec=${encodeURIComponent(spec)}`),
    picture: async (name) => (name === "handed" ? handed : pictureOf(await ask(`/pictures/${encodeURIComponent(name)}`))),
    upload: async (file) => pictureOf(await send("/pictures", file)),
  };
}

/** The catalogue in both languages; asked before there is any language to ask in. */
export async function fetchMessages() {
  const answer = await fetch(`${BASE}/messages`);
  return answer.json();
}

async function request(path, language, t, options = {}) {
  const address = `${BASE}${path}${path.includes("?") ? "&" : "?"}lang=${language}`;
  let answer;
  try {
    answer = await fetch(address, options);
  } catch (error) {
    throw new Error(t("error_network", { reason: error.message }));
  }
  let body;
  try {
    body = await answer.json();
  } catch {
    // A proxy's own page, or an answer that broke off.
    throw new Error(t("error_answer", { status: answer.status }));
  }
  if (!answer.ok) throw Object.assign(new Error(body.message), { code: body.code, field: body.field });
  return body;
}
