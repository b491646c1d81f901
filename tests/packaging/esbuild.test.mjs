// The installed package in an esbuild project, with the line that the package's guide gives: esbuild follows neither
// workers nor `new URL`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { codeAfter } from "./support/guide.mjs";
import { assertBuildRuns } from "./support/pages.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 5 * 60_000;
const html = `<!doctype html><html lang="en"><title>esbuild</title><script type="module" src="app.js"></script></html>`;

let project;

before(
  async () => {
    project = await createProject("esbuild", { dependencies: { esbuild: "0.28.2" } });
  },
  { timeout },
);

after(() => project?.remove());

test("a page built by esbuild with the worker and the wasm as entry points runs the package", { timeout }, async () => {
  const [program, ...args] = codeAfter("esbuild:", "sh")
    .trim()
    .split(/[\s\\]+/);
  await project.run(program, args);
  writeFileSync(join(project.folder, "dist", "index.html"), html);
  await assertBuildRuns(join(project.folder, "dist"));
});
