// A page in which the code of a document runs as it stands, one example after the other; the models are there from an
// earlier visit.
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { launchBrowser } from "../../../scripts/lib/browser.mjs";
import { models, root } from "../../../scripts/lib/paths.mjs";
import { folder, serve } from "../../../scripts/lib/server.mjs";
import { openGuidePage } from "./page.mjs";

const { transform } = createRequire(join(root, "pkg", "package.json"))("esbuild");

/** TypeScript as an example has it, as a module that a browser runs, with other names exported as well. */
export async function compiled(text, names = []) {
  const { code } = await transform(`${text}\nexport { ${names.join(", ")} };`, { loader: "ts" });
  return code;
}

export class ExamplePage {
  /** What the page has written to its console since the last example began. */
  said = [];
  /** The page itself, Playwright's. */
  page;
  /** The addresses of other servers that it has asked for, which were refused. */
  foreign;
  #scripts = new Map();
  #server;
  #browser;

  /**
   * `body`: what the page holds; `routes`: of its server, besides the package's and the models'; `kept`: whether the
   * models are there already.
   */
  static async open({ body = "", routes = {}, kept = true, timeout }) {
    const opened = new ExamplePage();
    try {
      await opened.#open({ body, routes, kept, timeout });
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  }

  async #open({ body, routes, kept, timeout }) {
    const answer = (type, content) => (_request, response, rest) =>
      response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(content(rest));
    this.#server = await serve({
      "/": answer("text/html", () => `<!doctype html><title>Examples</title>${body}`),
      "/pkg/": folder(join(root, "pkg", "dist")),
      "/example/": answer("text/javascript", (name) => this.#scripts.get(name)),
      ...Object.fromEntries(Object.values(models).map((path) => [`/models/${basename(path)}/`, folder(path)])),
      ...routes,
    });
    this.#browser = await launchBrowser();
    const { page, foreign } = await openGuidePage(this.#browser, this.#server.address, { kept });
    page.on("console", (message) => this.said.push(message.text()));
    page.setDefaultTimeout(timeout);
    Object.assign(this, { page, foreign });
  }

  /**
   * Runs an example, and then `use` with what it exports and what of its `names` is wanted besides; `given` is handed
   * to `use`. Resolves to what `use` gives.
   */
  async run(text, { names = [], use = () => undefined, given } = {}) {
    const name = `${this.#scripts.size}.js`;
    this.#scripts.set(name, await compiled(text.replaceAll('"querytune"', '"/pkg/index.js"'), names));
    this.said.length = 0;
    return this.page.evaluate(
      async ([address, use, given]) => {
        const made = await import(address);
        // biome-ignore lint/security/noGlobalEval: a function of a test, on its way into the page.
        return globalThis.eval(`(${use})`)(made, given);
      },
      [`/example/${name}`, String(use), given],
    );
  }

  async close() {
    await this.#browser?.close();
    await this.#server?.close();
  }
}
