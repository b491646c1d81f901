// Hashes of files and of whole sets of inputs, so that work is done again only when its inputs changed.
import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";

/** SHA-256 of a file, in hexadecimal. */
export async function sha256(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** All files under a folder, sorted, without those whose name is in `skip`. */
export function filesUnder(folder, skip = new Set(["node_modules", "dist", "__pycache__"])) {
  if (!existsSync(folder)) return [];
  if (statSync(folder).isFile()) return [folder];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !skip.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path, skip) : [path];
    });
}

/** One hash over names and contents of files (and folders), and over plain values. */
export function digest(base, paths, ...values) {
  const hash = createHash("sha256");
  for (const path of paths.flatMap((path) => filesUnder(path))) {
    hash
      .update(`${relative(base, path)}\0`)
      .update(readFileSync(path))
      .update("\0");
  }
  hash.update(JSON.stringify(values));
  return hash.digest("hex");
}

/** Size and time of files: cheap to take, changed whenever a file is. A missing file gives undefined. */
export function fingerprint(paths) {
  const parts = [];
  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return undefined;
    parts.push(`${found.size}:${Math.round(found.mtimeMs)}`);
  }
  return parts.join(" ");
}

/** A JSON file, or `otherwise` where there is none that can be read. */
export function readJson(path, otherwise) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return otherwise;
  }
}

/** Writes a file so that it is there whole or not at all. */
export function writeWhole(path, data) {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, data);
  renameSync(partial, path);
}
