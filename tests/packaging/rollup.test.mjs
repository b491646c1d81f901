// The installed package in a Rollup project, with the lines that the package's guide gives: Rollup follows neither
// workers nor `new URL`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertBuildRuns } from "./support/pages.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 5 * 60_000;
const html = `<!doctype html><html lang="en"><title>rollup</title><script type="module" src="app.js"></script></html>`;
const config = `import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import resolve from "@rollup/plugin-node-resolve";

const wasm = fileURLToPath(import.meta.resolve("querytune/querytune.wasm"));

export default {
  input: { app: "src/app.js", worker: "querytune/worker" },
  output: { dir: "dist", format: "es" },
  plugins: [
    resolve({ browser: true }),
    {
      name: "querytune-wasm",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: "wasm/querytune_bg.wasm", source: readFileSync(wasm) });
      },
    },
  ],
};
`;

let project;

before(
  async () => {
    project = await createProject("rollup", {
      dependencies: { rollup: "4.68.8", "@rollup/plugin-node-resolve": "16.0.3" },
      files: { "rollup.config.js": config },
    });
  },
  { timeout },
);

after(() => project?.remove());

test("a page built by Rollup with the worker as a second entry runs the package", { timeout }, async () => {
  await project.run("rollup", ["-c", "--silent"]);
  writeFileSync(join(project.folder, "dist", "index.html"), html);
  await assertBuildRuns(join(project.folder, "dist"));
});
