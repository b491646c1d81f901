// The command `querytune` as a person runs it, with models from this machine's cache and nothing else of the person's.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { models, root } from "../../../scripts/lib/paths.mjs";

export const ownModels = ["--encoder", models.encoder, "--cross-encoder", models.crossEncoder];

/** The first lines of a file of the sample. */
export function sample(name, lines) {
  return readFileSync(join(root, "examples", "sample", name), "utf8")
    .split("\n")
    .slice(0, lines)
    .join("\n");
}

/** A folder in which the command runs, with a cache of its own. */
export class Workplace {
  folder = mkdtempSync(join(tmpdir(), "querytune-node-"));

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(...parts) {
    return join(this.folder, ...parts);
  }

  json(...parts) {
    return JSON.parse(readFileSync(this.path(...parts), "utf8"));
  }

  /** Starts the command; `{ child, ended }`, where `ended` resolves to `{ code, out, err }`. */
  start(args, env = {}) {
    const child = spawn(process.execPath, [join(root, "pkg", "cli", "querytune.mjs"), ...args], {
      cwd: this.folder,
      env: { ...process.env, QUERYTUNE_CACHE: this.path("cache"), ...env },
    });
    const texts = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      texts.out += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      texts.err += chunk;
    });
    const ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, ...texts }));
    });
    return { child, ended };
  }

  /** Runs the command to its end. */
  run(...args) {
    return this.start(args).ended;
  }
}
