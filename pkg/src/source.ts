/** What is given to be read: files, blobs, or bytes. */

import { QuerytuneError } from "./errors.js";

export function bytesOf(input: unknown): Blob | Uint8Array {
  if (input instanceof Blob || input instanceof Uint8Array) return input;
  throw new QuerytuneError("option", "Give a File, a Blob, its bytes, an array, or what this session has read.");
}

/** Its bytes; where they cannot be had it is called by `name`. */
export async function read(source: Blob | Uint8Array, name = nameOf(source) ?? "artifact.zip"): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  try {
    return new Uint8Array(await source.arrayBuffer());
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

/** The name of a file, which blobs and bytes have not. */
export function nameOf(source: Blob | Uint8Array): string | undefined {
  return "name" in source && typeof source.name === "string" ? source.name : undefined;
}

/** A file that was chosen stays where it is: until it is read it may have been changed, or be gone. */
function unreadable(file: string, cause: unknown): QuerytuneError {
  return new QuerytuneError(
    "input-unreadable",
    `${file}: The file cannot be read: it was changed, moved or deleted since it was chosen, or is too large. Choose ` +
      "it again.",
    { position: { file, line: 0, column: 0 }, cause },
  );
}
