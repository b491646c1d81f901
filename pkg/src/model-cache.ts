/** Where downloaded models are kept: the browser's cache storage, or a folder in Node. */

import type { FileCache, KeptFile, ListedFile } from "./file-cache.js";
import { FolderCache } from "./folder-cache.js";
import { isNode } from "./node.js";
import { sha256 } from "./sha256.js";

const CACHE = "querytune-models";
/** What is known of a kept file besides the headers that it came with. */
const SHA256 = "x-querytune-sha256";
const MODEL = "x-querytune-model";

/** The browser's cache storage. */
class BrowserCache implements FileCache {
  readonly #cache: Cache;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  async match(url: URL): Promise<KeptFile | undefined> {
    const response = await this.#cache.match(url);
    if (!response) return undefined;
    const bytes = new Uint8Array(await response.arrayBuffer());
    const known = response.headers.get(SHA256);
    if (known && (await sha256(bytes)) === known) {
      return { bytes, headers: response.headers, sha256: known, model: response.headers.get(MODEL) ?? "" };
    }
    await this.delete(url);
    return undefined;
  }

  async put(url: URL, { bytes, headers, sha256, model }: KeptFile): Promise<void> {
    const all = new Headers(headers);
    all.set("content-length", String(bytes.length));
    all.set(SHA256, sha256);
    all.set(MODEL, model);
    await this.#cache.put(url, new Response(bytes, { headers: all }));
  }

  async delete(url: URL): Promise<void> {
    await this.#cache.delete(url);
  }

  async list(): Promise<ListedFile[]> {
    const files: ListedFile[] = [];
    for (const request of await this.#cache.keys()) {
      const headers = (await this.#cache.match(request))?.headers;
      const bytes = Number(headers?.get("content-length") ?? 0);
      files.push({ url: request.url, model: headers?.get(MODEL) ?? "", bytes, sha256: headers?.get(SHA256) ?? "" });
    }
    return files;
  }
}

/** Absent on insecure origins, and where it is forbidden. */
export async function openCache(): Promise<FileCache | undefined> {
  try {
    if (isNode()) return await FolderCache.open();
    const cache = await globalThis.caches?.open(CACHE);
    return cache && new BrowserCache(cache);
  } catch {
    return undefined;
  }
}

/** The cache if anything was ever kept there; looking makes none. */
export async function existingCache(): Promise<FileCache | undefined> {
  try {
    if (!isNode() && !(await globalThis.caches?.has(CACHE))) return undefined;
  } catch {
    return undefined;
  }
  return openCache();
}

/** Deletes all models. */
export async function deleteCache(): Promise<void> {
  if (isNode()) await FolderCache.deleteAll();
  else await globalThis.caches?.delete(CACHE);
}

function beside(url: URL, what: string): URL {
  const place = new URL(url);
  place.searchParams.set("querytune", what);
  return place;
}

/** Where a part of the beginning of a file is kept that is not whole, numbered from 0. */
export function beginningOf(url: URL, part: number): URL {
  return beside(url, part === 0 ? "beginning" : `beginning-${part}`);
}

/** Where it is kept which files a model has. */
function contentsOf(model: URL): URL {
  return beside(model, "contents");
}

/** Whether an address is that of a model's own file. */
export function isModelFile({ url }: ListedFile): boolean {
  return !new URL(url).searchParams.has("querytune");
}

/** Which files a model has, and which it could have but has not: paths in its folder. */
export interface Contents {
  present: string[];
  absent: string[];
}

export async function readContents(cache: FileCache, model: URL): Promise<Contents | undefined> {
  const kept = await cache.match(contentsOf(model)).catch(() => undefined);
  return kept && (JSON.parse(new TextDecoder().decode(kept.bytes)) as Contents);
}

export async function writeContents(cache: FileCache, model: URL, contents: Contents): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(contents));
  const hash = await sha256(bytes);
  if (hash) await cache.put(contentsOf(model), { bytes, headers: new Headers(), sha256: hash, model: model.href });
}
