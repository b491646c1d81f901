/** Where Node keeps what was downloaded: a folder in the place of the browser's cache storage. */

import { builtin } from "./node.js";

interface Files {
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  writeFile(path: string, data: Uint8Array | string): Promise<void>;
  mkdir(path: string, options: { recursive: boolean }): Promise<unknown>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: boolean }): Promise<void>;
}

interface Paths {
  join(...parts: string[]): string;
  dirname(path: string): string;
  resolve(path: string): string;
}

interface Crypto {
  createHash(name: "sha256"): { update(data: Uint8Array): { digest(form: "hex"): string } };
}

/** What is kept beside a file. */
interface Head {
  sha256: string;
  headers: [string, string][];
}

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
export class FolderCache {
  readonly #root: string;
  readonly #files: Files;
  readonly #paths: Paths;
  readonly #crypto: Crypto;

  private constructor(root: string, files: Files, paths: Paths, crypto: Crypto) {
    this.#root = root;
    this.#files = files;
    this.#paths = paths;
    this.#crypto = crypto;
  }

  static async open(): Promise<FolderCache> {
    const paths = await builtin<Paths>("path");
    const root = paths.join(await cacheFolder(), "hub");
    return new FolderCache(root, await builtin<Files>("fs/promises"), paths, await builtin<Crypto>("crypto"));
  }

  async match(url: URL): Promise<Response | undefined> {
    const { file, head } = this.#place(url);
    try {
      const known = JSON.parse(new TextDecoder().decode(await this.#files.readFile(head))) as Head;
      const bytes = await this.#files.readFile(file);
      if (this.#sha256(bytes) === known.sha256) return new Response(bytes, { headers: known.headers });
      await this.delete(url);
    } catch {
      // Not there, or no longer.
    }
    return undefined;
  }

  async put(url: URL, response: Response): Promise<void> {
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { file, head } = this.#place(url);
    await this.#files.mkdir(this.#paths.dirname(file), { recursive: true });
    await this.#write(file, bytes);
    await this.#write(head, JSON.stringify({ sha256: this.#sha256(bytes), headers: [...response.headers] }));
  }

  async delete(url: URL): Promise<boolean> {
    const { file, head } = this.#place(url);
    for (const path of [head, file]) await this.#files.rm(path, { force: true });
    return true;
  }

  /** The file is there whole or not at all. */
  async #write(path: string, data: Uint8Array | string): Promise<void> {
    const partial = `${path}.partial`;
    await this.#files.writeFile(partial, data);
    await this.#files.rename(partial, path);
  }

  #place(url: URL): { file: string; head: string } {
    // A name for each part of the address that is one on every system, and never `..`.
    const safe = (part: string) =>
      encodeURIComponent(decodeURIComponent(part)).replaceAll("*", "%2A").replace(/^\./, "%2E");
    const parts = [url.host, ...url.pathname.split("/").filter(Boolean)].map(safe);
    const file = this.#paths.join(this.#root, ...parts) + (url.search ? `.${safe(url.search)}` : "");
    return { file, head: `${file}.head.json` };
  }

  #sha256(bytes: Uint8Array): string {
    return this.#crypto.createHash("sha256").update(bytes).digest("hex");
  }
}
