// What the script that opened this tab calls: engines under names, and timed work on them.
const engines = new Map();

globalThis.bench = {
  /** Loads an engine; resolves to what it says about itself. */
  async open(name, script, options) {
    const { open } = await import(script);
    const engine = await open(options);
    engines.set(name, engine);
    return engine.info ?? null;
  },

  /** Does a piece of work. Timed are the texts' way to the results, not the results' way out of the page. */
  async run(name, kind, ...input) {
    const engine = engines.get(name);
    const from = performance.now();
    const result = await engine[kind](...input);
    const seconds = (performance.now() - from) / 1000;
    return { seconds, result: await plain(result) };
  },

  async close(name) {
    await engines.get(name).close();
    engines.delete(name);
  },
};

/** Results as JSON can carry them; a function gives what is only fetched after the clock has stopped. */
async function plain(result) {
  const value = typeof result === "function" ? await result() : result;
  if (ArrayBuffer.isView(value)) return Array.from(value);
  return Array.isArray(value) && ArrayBuffer.isView(value[0]) ? value.map((row) => Array.from(row)) : value;
}

/** With an address such as `#{"script": …, "options": …, "text": …}`: how long a page takes to its first vector. */
async function firstVector({ script, options, text }) {
  const { open } = await import(script);
  const engine = await open(options);
  const [vector] = await engine.embed([text]);
  return { milliseconds: performance.now(), vector: Array.from(vector) };
}

if (location.hash.length > 1) {
  firstVector(JSON.parse(decodeURIComponent(location.hash.slice(1)))).then(
    (found) => {
      globalThis.firstVector = found;
    },
    (error) => {
      globalThis.firstVector = { failure: String(error.stack ?? error) };
    },
  );
}
