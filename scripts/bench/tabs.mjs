// Tabs of one headless Chromium, each in a browser context, and so in a process, of its own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { models, root } from "../lib/paths.mjs";
import { folder, serve } from "../lib/server.mjs";
import { Failure } from "../lib/terminal.mjs";
import { benchPackage } from "./engine.mjs";
import { peerModels } from "./models.mjs";
import { peerFolders } from "./peers.mjs";

/** As a plain static host answers: no isolation, so no SharedArrayBuffer. It is what leaving the headers out means. */
const plainHost = { "cross-origin-embedder-policy": "unsafe-none", "cross-origin-opener-policy": "unsafe-none" };

/** A second visit may take everything from the browser's cache. */
const cached = { "cache-control": "max-age=3600" };

/** The peers' modules are named .mjs, which the server gives no JavaScript type. Their threads load them as workers. */
const module = { ...cached, "content-type": "text/javascript", "cross-origin-embedder-policy": "require-corp" };

/**
 * Serves everything: `/plain/` is a host without special headers, `/isolated/` the same with COOP and COEP.
 * Resolves to `{ address, served, close }`; `served` collects the files asked for, weights and tokenizers left out.
 */
export async function serveBench() {
  const served = new Set();
  const routes = {};
  const add = (prefix, path, headers = {}) => {
    const route = folder(path, { ...cached, ...headers });
    routes[prefix] = (request, response, rest) => {
      if (!prefix.includes("models/")) served.add(join(path, rest));
      if (!rest.endsWith(".mjs")) return route(request, response, rest);
      return response.writeHead(200, module).end(readFileSync(join(path, rest)));
    };
  };
  for (const [host, headers] of [
    ["plain", plainHost],
    ["isolated", {}],
  ]) {
    add(`/${host}/page/`, join(root, "scripts", "bench", "pages"), headers);
    add(`/${host}/pkg/`, join(root, "pkg", "dist"), headers);
    add(`/${host}/bench/`, benchPackage, headers);
    for (const [role, path] of Object.entries(models)) add(`/${host}/models/${role}/`, path, headers);
  }
  for (const [name, path] of Object.entries(peerFolders)) add(`/peers/${name}`, path);
  for (const [role, path] of Object.entries(peerModels)) add(`/models/${role}/`, path);
  return { ...(await serve(routes)), served };
}

/** One page. `host`: `plain` or `isolated`. */
export class Tab {
  #context;
  #page;
  #stopped;

  static async open(browser, address, { host = "plain", context, hash = "" } = {}) {
    const tab = new Tab();
    tab.#context = context ?? (await browser.newContext());
    tab.#page = await tab.#context.newPage();
    tab.#stopped = new Promise((_, reject) => {
      tab.#page.on("crash", () => reject(new Failure("A tab of the benchmark crashed, perhaps for lack of memory.")));
    });
    tab.#stopped.catch(() => {});
    await tab.#page.goto(`${address}/${host}/page/${hash && `#${encodeURIComponent(JSON.stringify(hash))}`}`);
    return tab;
  }

  /** Evaluates a function in the page. */
  evaluate(work, ...given) {
    return Promise.race([this.#page.evaluate(work, ...given), this.#stopped]);
  }

  /** Loads an engine under a name; resolves to what it says about itself. */
  load(name, script, options) {
    return this.evaluate(([...all]) => globalThis.bench.open(...all), [name, script, options]);
  }

  /** Does timed work with an engine; resolves to `{ seconds, result }`. */
  run(name, kind, ...input) {
    return this.evaluate(([...all]) => globalThis.bench.run(...all), [name, kind, ...input]);
  }

  /** Waits for what the page puts into a global variable. */
  async global(name, timeout) {
    const handle = await Promise.race([
      this.#page.waitForFunction((key) => globalThis[key], name, { timeout }),
      this.#stopped,
    ]);
    return handle.jsonValue();
  }

  /** Closes the page, and its context unless it was given. */
  async close(context = true) {
    await this.#page.close();
    if (context) await this.#context.close();
  }
}
