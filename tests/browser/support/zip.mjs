// Zip files, read by a library that had no part in writing them.
import { unzipSync } from "fflate";

/** The files of a zip by name, as buffers. */
export function readZip(bytes) {
  return new Map(Object.entries(unzipSync(bytes)).map(([name, content]) => [name, Buffer.from(content)]));
}
