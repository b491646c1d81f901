/** Where models come from. */

/** A model of a hub, exactly. */
export interface HubSource {
  /** Such as `sentence-transformers/all-MiniLM-L6-v2`. */
  readonly hub: string;
  /**
   * A branch, a tag or a commit. Default: of the default models on huggingface.co the commit that this version was made
   * with, else `main`. What was downloaded once of a revision is not asked for again.
   */
  readonly revision?: string;
  /** Default: the session's, which is `https://huggingface.co` if none was given. */
  readonly host?: string;
  /**
   * The SHA-256 that files must have, in hexadecimal, by path: `{ "model.safetensors": "53aa…" }`. A path that is no file
   * of the model's is refused.
   */
  readonly sha256?: Readonly<Record<string, string>>;
}

/** A model's folder on a server, exactly. */
export interface UrlSource {
  readonly url: string | URL;
  /** As of `HubSource`. */
  readonly sha256?: Readonly<Record<string, string>>;
}

/**
 * Where a model comes from:
 * - a hub id such as `"sentence-transformers/all-MiniLM-L6-v2"`, or `{ hub, revision, host, sha256 }`;
 * - the URL of a folder: a `URL`, or a string with `://` in it or beginning with `/` or `.`
 *   (`file:` works in Node), or `{ url, sha256 }`;
 * - the files of a folder, as a folder picker gives them;
 * - bytes by relative path, such as `{ "config.json": …, "1_Pooling/config.json": … }`; they are copied.
 *
 * Downloads are kept for the next time: in the browser's cache storage, in Node in the folder `hub` of
 * `$QUERYTUNE_CACHE`, else of the system's folder for caches. One that broke off goes on where it was. What is kept is
 * checked by its SHA-256 each time it is read, and downloaded anew if it was damaged.
 */
export type ModelSource = string | URL | HubSource | UrlSource | ArrayLike<File> | Readonly<Record<string, Uint8Array>>;

/** A model that is kept, or what there is of it. */
export interface CachedModel {
  /** Address of its folder; it may stand wherever a `ModelSource` may. */
  url: string;
  /** Number of its files that are here. */
  files: number;
  /** Their size, with the beginning of one that broke off. */
  bytes: number;
  /** Whether all of its files are here. */
  complete: boolean;
}
