// Sentences from the one catalogue (convoscope/core/catalogue/web.toml), handed over by whoever shows the page.

/** A function t(key, values) for `language`; messages is {en: {key: text}, es: {…}}. A missing key is our own mistake. */
export function translator(messages, language) {
  const sentences = messages[language];
  return (key, values = {}) => {
    const text = sentences[key];
    if (text === undefined) throw new Error(`no sentence ${key} in ${language}`);
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  };
}
