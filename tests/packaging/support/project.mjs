// The packed package in fresh projects, as strangers install it.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "../../../scripts/lib/command.mjs";
import { filesUnder, fingerprint, readJson, writeWhole } from "../../../scripts/lib/hash.mjs";
import { models, root, state } from "../../../scripts/lib/paths.mjs";
import { input } from "./expectations.mjs";
import { codeAfter } from "./guide.mjs";

const source = join(root, "pkg");
const support = join(root, "tests", "packaging", "support");

/** The tarball that would be published. It is packed anew when any file of the package has changed. */
export async function pack() {
  const folder = join(state, "packed");
  const stamp = join(folder, "packed.json");
  const key = fingerprint(filesUnder(source, new Set(["node_modules"])));
  const before = readJson(stamp);
  if (before?.key === key && fingerprint([before.path])) return before.path;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: source });
  const path = join(folder, readdirSync(folder)[0]);
  writeWhole(stamp, JSON.stringify({ key, path }));
  return path;
}

/**
 * A project in a folder of its own with the package installed in it. `dependencies`: others, by name and exact
 * version; `files`: contents by path, beside `src/app.js` and `src/job.js`. Resolves to `{ folder, run, start, publishModels, remove }`.
 */
export async function createProject(name, { dependencies = {}, files = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), `querytune-${name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const tarball = await pack();
    const manifest = { name, private: true, type: "module", dependencies: { querytune: `file:${tarball}` } };
    Object.assign(manifest.dependencies, dependencies);
    const all = {
      "package.json": JSON.stringify(manifest),
      "src/app.js": readFileSync(join(support, "app.js")),
      "src/job.js": readFileSync(join(support, "job.js")),
      ...files,
    };
    for (const [path, content] of Object.entries(all)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    await run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"], {
      cwd: folder,
      timeout: 180,
    });
  } catch (error) {
    remove();
    throw error;
  }
  return {
    folder,
    /** Runs a program of the project's `node_modules`, or any other by its full path. */
    run: (program, args, options) =>
      run(program.includes("/") ? program : join(folder, "node_modules", ".bin", program), args, {
        cwd: folder,
        timeout: 180,
        ...options,
      }),
    /** Puts the models into `public/`, which servers of such projects serve. */
    publishModels() {
      mkdirSync(join(folder, "public", "models"), { recursive: true });
      for (const path of Object.values(models)) symlinkSync(path, join(folder, "public", "models", basename(path)));
    },
    /** Starts a server of the project and resolves to `{ address, close }` when it has printed its address. */
    start: (program, args) => startServer(join(folder, "node_modules", ".bin", program), args, folder),
    remove,
  };
}

const importMap = JSON.stringify({ imports: { querytune: "./node_modules/querytune/dist/index.js" } });
const importMapHash = createHash("sha256").update(importMap).digest("base64");

/** A page without a bundler, and the policy that the package's guide gives, with the hash of the import map. */
export const plainPage = {
  html: `<!doctype html><html lang="en"><title>plain</title>
<script type="importmap">${importMap}</script><script type="module" src="src/app.js"></script></html>`,
  headers: {
    "content-security-policy": codeAfter("## Content-Security-Policy", "")
      .trim()
      .replace("'wasm-unsafe-eval'", `'wasm-unsafe-eval' 'sha256-${importMapHash}'`),
  },
};

const modelPlaces = Object.fromEntries(Object.entries(models).map(([role, path]) => [role, pathToFileURL(path).href]));

/** A program for a terminal: does the job with `querytune/core` and leaves its result in a file. */
export const terminalFiles = {
  "src/main.mjs": `import { readFile, writeFile } from "node:fs/promises";
import { load } from "querytune/core";
import { job } from "./job.js";

const input = JSON.parse(await readFile("input.json", "utf8"));
await writeFile("result.json", JSON.stringify(await job(load, input)));
`,
  "input.json": JSON.stringify({ ...input, ...modelPlaces }),
};

/** What that program has left. */
export function terminalResult({ folder }) {
  return JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
}

async function startServer(program, args, cwd) {
  // A group of its own: such servers start others, which have to end with them.
  const child = spawn(program, args, { cwd, detached: true, env: { ...process.env, NO_COLOR: "1" } });
  const ended = once(child, "close");
  const close = async () => {
    if (child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    await ended;
  };
  let output = "";
  const address = new Promise((resolve, reject) => {
    const take = (chunk) => {
      output += chunk;
      const found = /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(output);
      if (found) resolve(found[0]);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    ended.then(() => reject(new Error(`${program} ended before it served: ${output}`)), reject);
    setTimeout(() => reject(new Error(`${program} has not served in a minute: ${output}`)), 60_000).unref();
  });
  try {
    return { address: await address, close };
  } catch (error) {
    await close();
    throw error;
  }
}
