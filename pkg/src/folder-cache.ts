/** Where Node keeps what was downloaded: a folder in the place of the browser's cache storage. */

import type { FileCache, KeptFile, ListedFile } from "./file-cache.js";
import { builtin } from "./node.js";
import { sha256 } from "./sha256.js";

interface Files {
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  writeFile(path: string, data: Uint8Array | string): Promise<void>;
  mkdir(path: string, options: { recursive: boolean }): Promise<unknown>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: boolean; recursive?: boolean }): Promise<void>;
  readdir(path: string, options: { recursive: boolean }): Promise<string[]>;
  stat(path: string): Promise<{ size: number }>;
}

interface Paths {
  join(...parts: string[]): string;
  dirname(path: string): string;
  resolve(path: string): string;
}

/** What is kept beside a file. */
interface Head {
  url: string;
  model: string;
  sha256: string;
  headers: [string, string][];
}

const HEAD = ".head.json";

/** `$QUERYTUNE_CACHE`, else a folder of this package's where the system keeps what can be had again. */
export async function cacheFolder(): Promise<string> {
  const [{ join, resolve }, { homedir }] = await Promise.all([
    builtin<Paths>("path"),
    builtin<{ homedir(): string }>("os"),
  ]);
  const { env, platform } = (globalThis as unknown as { process: { env: Record<string, string>; platform: string } })
    .process;
  if (env.QUERYTUNE_CACHE) return resolve(env.QUERYTUNE_CACHE);
  if (platform === "win32") return join(env.LOCALAPPDATA || join(homedir(), "AppData", "Local"), "querytune");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "querytune");
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "querytune");
}

/** Files by their address, each with the headers it came with. One that was damaged on the disk is not there. */
export class FolderCache implements FileCache {
  readonly #root: string;
  readonly #files: Files;
  readonly #paths: Paths;

  private constructor(root: string, files: Files, paths: Paths) {
    this.#root = root;
    this.#files = files;
    this.#paths = paths;
  }

  static async open(): Promise<FolderCache> {
    const paths = await builtin<Paths>("path");
    return new FolderCache(paths.join(await cacheFolder(), "hub"), await builtin<Files>("fs/promises"), paths);
  }

  /** Deletes all files of all models. */
  static async deleteAll(): Promise<void> {
    const cache = await FolderCache.open();
    await cache.#files.rm(cache.#root, { force: true, recursive: true });
  }

  async match(url: URL): Promise<KeptFile | undefined> {
    const { file, head } = this.#place(url);
    try {
      const { headers, ...known } = await this.#head(head);
      const bytes = await this.#files.readFile(file);
      if ((await sha256(bytes)) === known.sha256) {
        return { bytes, headers: new Headers(headers), sha256: known.sha256, model: known.model };
      }
      await this.delete(url);
    } catch {
      // Not there, or no longer.
    }
    return undefined;
  }

  async put(url: URL, { bytes, headers, sha256, model }: KeptFile): Promise<void> {
    const { file, head } = this.#place(url);
    await this.#files.mkdir(this.#paths.dirname(file), { recursive: true });
    await this.#write(file, bytes);
    const known: Head = { url: url.href, model, sha256, headers: [...headers] };
    await this.#write(head, JSON.stringify(known));
  }

  async delete(url: URL): Promise<void> {
    const { file, head } = this.#place(url);
    for (const path of [head, file]) await this.#files.rm(path, { force: true });
  }

  async list(): Promise<ListedFile[]> {
    const names = await this.#files.readdir(this.#root, { recursive: true }).catch(() => []);
    const files: ListedFile[] = [];
    for (const name of names.filter((name) => name.endsWith(HEAD))) {
      const path = this.#paths.join(this.#root, name);
      try {
        const { url, model, sha256 } = await this.#head(path);
        files.push({ url, model, sha256, bytes: (await this.#files.stat(path.slice(0, -HEAD.length))).size });
      } catch {
        // Deleted by another process meanwhile.
      }
    }
    return files;
  }

  async #head(path: string): Promise<Head> {
    return JSON.parse(new TextDecoder().decode(await this.#files.readFile(path))) as Head;
  }

  /** The file is there whole or not at all. */
  async #write(path: string, data: Uint8Array | string): Promise<void> {
    // Another load, or another process, may be writing the same file.
    const partial = `${path}.${crypto.randomUUID()}.partial`;
    try {
      await this.#files.writeFile(partial, data);
      await this.#files.rename(partial, path);
    } catch (error) {
      await this.#files.rm(partial, { force: true }).catch(() => {});
      throw error;
    }
  }

  #place(url: URL): { file: string; head: string } {
    // A name for each part of the address that is one on every system, and never `..`.
    const safe = (part: string) =>
      encodeURIComponent(decodeURIComponent(part)).replaceAll("*", "%2A").replace(/^\./, "%2E");
    const parts = [url.host, ...url.pathname.split("/").filter(Boolean)].map(safe);
    const file = this.#paths.join(this.#root, ...parts) + (url.search ? `.${safe(url.search)}` : "");
    return { file, head: `${file}${HEAD}` };
  }
}
