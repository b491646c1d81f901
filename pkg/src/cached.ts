/** Which models are kept, and their deletion. */

import type { FileCache, ListedFile } from "./file-cache.js";
import { deleteCache, existingCache, isModelFile, readContents } from "./model-cache.js";
import { locate } from "./models.js";
import type { CachedModel, ModelSource } from "./types.js";

/**
 * The models that are kept: in the browser's cache storage, of this page's origin; in Node in a folder (see
 * `ModelSource`). A browser that keeps nothing has none.
 */
export async function cachedModels(): Promise<CachedModel[]> {
  const cache = await existingCache();
  const files = (await cache?.list()) ?? [];
  const models = new Map<string, ListedFile[]>();
  for (const file of files) models.set(file.model, [...(models.get(file.model) ?? []), file]);
  const found = [...models].map(async ([url, own]) => ({
    url,
    files: own.filter(isModelFile).length,
    bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
    complete: await isComplete(cache as FileCache, url, own),
  }));
  return Promise.all(found);
}

async function isComplete(cache: FileCache, model: string, files: readonly ListedFile[]): Promise<boolean> {
  const contents = model && (await readContents(cache, new URL(model)).catch(() => undefined));
  if (!contents) return false;
  const urls = new Set(files.map(({ url }) => url));
  return contents.present.every((path) => urls.has(new URL(path, model).href));
}

/**
 * Whether `load` would find all files of a model without a download. True of models that are given as files, bytes or
 * a folder of the local disk. A folder on a server is asked all the same whether it has changed. Where a file's
 * SHA-256 is given, only one that is kept with it is there.
 */
export async function isCached(source: ModelSource): Promise<boolean> {
  const place = locate(source);
  if (!place.base?.protocol.startsWith("http")) return true;
  const { base, sha256 = {} } = place;
  const cache = await existingCache();
  const own = ((await cache?.list()) ?? []).filter(({ model }) => model === base.href);
  const isAnother = ([path, wanted]: [string, string]) => {
    const kept = own.find(({ url }) => url === new URL(path, base).href);
    return kept?.sha256 !== wanted.toLowerCase();
  };
  return cache !== undefined && !Object.entries(sha256).some(isAnother) && isComplete(cache, base.href, own);
}

/** Deletes what is kept of a model, or of all models. A model that is in use stays loaded. */
export async function clearCache(source?: ModelSource): Promise<void> {
  if (source === undefined) return deleteCache();
  const { base } = locate(source);
  const cache = base && (await existingCache());
  if (!cache) return;
  const own = (await cache.list()).filter(({ model }) => model === base.href);
  await Promise.all(own.map(({ url }) => cache.delete(new URL(url))));
}
