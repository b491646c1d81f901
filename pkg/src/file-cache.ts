/** Files that were downloaded, by their address: what both places where they are kept have in common. */

/** A file as it is kept. */
export interface KeptFile {
  bytes: Uint8Array<ArrayBuffer>;
  /** As far as they tell whether it is still the same. */
  headers: Headers;
  /** In hexadecimal. */
  sha256: string;
  /** Address of the model's folder. */
  model: string;
}

/** A kept file without its content. */
export interface ListedFile {
  url: string;
  model: string;
  /** Its size. */
  bytes: number;
  /** In hexadecimal. */
  sha256: string;
}

/** Files by their address. One that was damaged is not there. */
export interface FileCache {
  match(url: URL): Promise<KeptFile | undefined>;
  put(url: URL, file: KeptFile): Promise<void>;
  delete(url: URL): Promise<void>;
  list(): Promise<ListedFile[]>;
}
