// A part of the page by itself, for what the page as a whole does not show yet.
import { createRequire } from "node:module";
import { join } from "node:path";
import { launchBrowser } from "../../../scripts/lib/browser.mjs";
import { root } from "../../../scripts/lib/paths.mjs";

const { build } = createRequire(join(root, "pkg", "package.json"))("esbuild");

/** Bundles TypeScript that may import the page's sources as `www/…`; resolves to the module's text. */
export async function bundle(source) {
  const { outputFiles } = await build({
    stdin: { contents: source, loader: "tsx", resolveDir: root, sourcefile: "part.tsx" },
    bundle: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    write: false,
    logLevel: "error",
    // A part has no engine: it is handed what it shows.
    loader: { ".wasm": "empty" },
    external: ["./wasm/querytune.js"],
    // The page's sources name modules as they are called once compiled.
    plugins: [
      {
        name: "sources",
        setup: ({ onResolve, resolve }) =>
          onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, async ({ path, importer, resolveDir, pluginData }) => {
            if (pluginData || !importer.includes("/www/")) return undefined;
            for (const extension of [".ts", ".tsx"]) {
              const found = await resolve(path.replace(/\.js$/, extension), {
                resolveDir,
                kind: "import-statement",
                pluginData: true,
              });
              if (found.errors.length === 0) return found;
            }
            return undefined;
          }),
      },
    ],
  });
  return outputFiles[0].text;
}

/** Opens a page that runs such a module. `options`: as of Playwright's `newPage`. Resolves to `{ page, close }`. */
export async function openPart(source, options = {}) {
  const script = await bundle(source);
  const browser = await launchBrowser();
  const page = await browser.newPage(options);
  await page.setContent(
    '<!doctype html><html lang="en"><title>part</title><main><h1>Part</h1><div id="app"></div></main></html>',
  );
  await page.addScriptTag({ type: "module", content: script });
  return { page, close: () => browser.close() };
}
