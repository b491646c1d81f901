// The packed package in fresh projects, as strangers install it.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../../../scripts/lib/command.mjs";
import { filesUnder, fingerprint, readJson, writeWhole } from "../../../scripts/lib/hash.mjs";
import { root, state } from "../../../scripts/lib/paths.mjs";

const source = join(root, "pkg");
const support = join(root, "tests", "packaging", "support");

/** The tarball that would be published. It is packed anew when any file of the package has changed. */
export async function pack() {
  const folder = join(state, "packed");
  const stamp = join(folder, "packed.json");
  const key = fingerprint(filesUnder(source, new Set(["node_modules", "src"])));
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
 * version; `files`: contents by path, beside `src/app.js` and `src/job.js`. Resolves to `{ folder, run, remove }`.
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
    /** Copies a file or folder of the project to another place in it. */
    copy: (from, to) => cpSync(join(folder, from), join(folder, to), { recursive: true }),
    remove,
  };
}
