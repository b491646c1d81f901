// A run's download on the disk.
import { statSync } from "node:fs";
import { basename, join } from "node:path";

/**
 * The zip that is meant by a path: the zip itself, or that in the folder that `adapt` wrote, which may also be named by the
 * model's folder in it. Undefined if there is none.
 */
export function findDownload(path) {
  if (statSync(path).isFile()) return path;
  const places = [join(path, "artifact.zip")];
  if (basename(path) === "model") places.push(join(path, "..", "artifact.zip"));
  return places.find((place) => statSync(place, { throwIfNoEntry: false })?.isFile());
}
