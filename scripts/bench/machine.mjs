// Where the benchmark ran, and on what.
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { capture } from "../lib/command.mjs";
import { readJson } from "../lib/hash.mjs";
import { root } from "../lib/paths.mjs";
import { peerVersions } from "./peers.mjs";

export function machine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? "unknown",
    processors: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    loadAtStart: loadavg()[0],
  };
}

export async function versions(browser) {
  const commit = await capture("git", ["-C", root, "rev-parse", "--short", "HEAD"]);
  const changed = commit && (await capture("git", ["-C", root, "status", "--porcelain"]));
  return {
    querytune: readJson(join(root, "pkg", "package.json")).version,
    commit: commit ? `${commit}${changed ? " with changes" : ""}` : null,
    ...peerVersions(),
    node: process.version,
    browser,
  };
}
