// A page in Chromium from which a test imports the npm package, as any page would.
import { basename, join } from "node:path";
import { launchBrowser } from "../../../scripts/lib/browser.mjs";
import { models, root } from "../../../scripts/lib/paths.mjs";
import { folder, serve } from "../../../scripts/lib/server.mjs";

/** Where the page finds the package and the two models. */
export const places = {
  package: "/pkg/index.js",
  encoder: `/models/${basename(models.encoder)}/`,
  crossEncoder: `/models/${basename(models.crossEncoder)}/`,
};

function blank(_request, response) {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end('<!doctype html><html lang="en"><title>querytune: tests</title></html>');
}

/**
 * Opens an empty page with the built package and the models beside it. `webgpu`: as of `launchBrowser`; `folders`:
 * others, by the place where the page finds them; `routes`: of `serve`, besides. Resolves to `{ page, close }`.
 */
export async function openPackagePage({ webgpu = false, folders = {}, routes = {} } = {}) {
  const server = await serve({
    "/": blank,
    "/pkg/": folder(join(root, "pkg", "dist")),
    [places.encoder]: folder(models.encoder),
    [places.crossEncoder]: folder(models.crossEncoder),
    ...Object.fromEntries(Object.entries(folders).map(([place, path]) => [place, folder(path)])),
    ...routes,
  });
  let browser;
  const close = async () => {
    await browser?.close();
    await server.close();
  };
  try {
    browser = await launchBrowser({ webgpu });
    const page = await browser.newPage();
    await page.goto(`${server.address}/`);
    return { page, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Loads both models in a session of their own, so that nothing is kept in common with another tuner, and keeps the
 * tuner under a name of the page's global object. `options`: as of the package's `load`. Resolves to the tuner's
 * `info`.
 */
export function loadTuner(page, name, options) {
  return page.evaluate(
    async ({ places, name, options }) => {
      const { load } = await import(places.package);
      const { encoder, crossEncoder } = places;
      globalThis[name] = await load({ store: "memory", encoder, crossEncoder, ...options });
      return globalThis[name].info;
    },
    { places, name, options },
  );
}

/** Vectors of texts by the tuner of that name, one array a text. */
export function embed(page, name, texts) {
  return page.evaluate(
    async ({ name, texts }) => {
      const { data, dims } = await globalThis[name].embed(texts);
      return Array.from({ length: dims[0] }, (_, i) => Array.from(data.subarray(i * dims[1], (i + 1) * dims[1])));
    },
    { name, texts },
  );
}

/** Logits of `{ query, passage }` pairs by the tuner of that name, in the order given. */
export function logits(page, name, pairs) {
  return page.evaluate(
    async ({ name, pairs }) => {
      const found = [];
      for (const query of new Set(pairs.map((pair) => pair.query))) {
        const own = pairs.flatMap((pair, i) => (pair.query === query ? [i] : []));
        const passages = own.map((i) => pairs[i].passage);
        const ranked = await globalThis[name].rerank(query, passages, { topK: passages.length });
        for (const { index, logit } of ranked) found[own[index]] = logit;
      }
      return found;
    },
    { name, pairs },
  );
}
