// The installed package in a Rollup project, with the lines that the package's guide gives: Rollup follows neither
// workers nor `new URL`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { codeAfter } from "./support/guide.mjs";
import { assertBuildRuns } from "./support/pages.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 5 * 60_000;
const html = `<!doctype html><html lang="en"><title>rollup</title><script type="module" src="app.js"></script></html>`;
let project;

before(
  async () => {
    project = await createProject("rollup", {
      dependencies: { rollup: "4.68.8", "@rollup/plugin-node-resolve": "16.0.3" },
      files: { "rollup.config.js": codeAfter("Rollup, `rollup.config.js`:", "js") },
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
