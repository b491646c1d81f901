// The default models as they are kept after a first use, so that guides run as they stand, and without a hub.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { manifest } from "../../../scripts/lib/models.mjs";
import { cache, root, state } from "../../../scripts/lib/paths.mjs";

const HUB = "https://huggingface.co";

/** Every file of the default models: its address at the hub, its model's, its path here, and its SHA-256. */
export const modelFiles = Object.entries(manifest).flatMap(([name, { hub, revision, files }]) =>
  Object.entries(files).map(([path, sha256]) => {
    const model = `${HUB}/${hub}/resolve/${revision}/`;
    return {
      model,
      url: model + path,
      path: join(cache, "models", name, path),
      place: `/models/${name}/${path}`,
      sha256,
    };
  }),
);

/** What is said of a model: the files it has. */
export function contentsOf(model) {
  const present = modelFiles.filter((file) => file.model === model).map(({ url }) => url.slice(model.length));
  return { url: `${model}?querytune=contents`, text: JSON.stringify({ present, absent: [] }) };
}

export const models = [...new Set(modelFiles.map(({ model }) => model))];

/** A folder for `QUERYTUNE_CACHE` in which the default models are kept. */
export async function keptModels() {
  const folder = join(state, "guides");
  const before = process.env.QUERYTUNE_CACHE;
  process.env.QUERYTUNE_CACHE = folder;
  try {
    const { FolderCache } = await import(join(root, "pkg", "dist", "folder-cache.js"));
    const kept = await FolderCache.open();
    const known = new Set((await kept.list()).map(({ url }) => url));
    const headers = new Headers();
    for (const { url, model, path, sha256 } of modelFiles) {
      if (!existsSync(path)) throw new Error(`${path} is missing: npm run setup.`);
      if (!known.has(url)) await kept.put(new URL(url), { bytes: readFileSync(path), headers, sha256, model });
    }
    for (const model of models) {
      const { url, text } = contentsOf(model);
      const bytes = new TextEncoder().encode(text);
      const sha256 = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
      await kept.put(new URL(url), { bytes, headers, sha256, model });
    }
  } finally {
    if (before === undefined) delete process.env.QUERYTUNE_CACHE;
    else process.env.QUERYTUNE_CACHE = before;
  }
  return folder;
}

/** The same in a browser: on a page of the site whose server has the models' files at `/models/`. */
export async function keepInBrowser(page) {
  const files = modelFiles.map(({ url, model, place, sha256 }) => ({ url, model, place, sha256 }));
  await page.evaluate(
    async ({ files, contents }) => {
      const cache = await caches.open("querytune-models");
      const keep = (url, model, sha256, bytes) => {
        const headers = { "content-length": bytes.length, "x-querytune-sha256": sha256, "x-querytune-model": model };
        return cache.put(url, new Response(bytes, { headers }));
      };
      for (const { url, model, place, sha256 } of files) {
        await keep(url, model, sha256, new Uint8Array(await (await fetch(place)).arrayBuffer()));
      }
      for (const { model, url, text } of contents) {
        const bytes = new TextEncoder().encode(text);
        const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        await keep(url, model, Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""), bytes);
      }
    },
    { files, contents: models.map((model) => ({ model, ...contentsOf(model) })) },
  );
}
