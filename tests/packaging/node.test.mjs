// The installed package in Node: ES modules, the CPU, models of the local disk.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertResult } from "./support/expectations.mjs";
import { createProject, terminalFiles, terminalResult } from "./support/project.mjs";

const timeout = 5 * 60_000;
let project;

before(
  async () => {
    project = await createProject("node", { files: terminalFiles });
  },
  { timeout },
);

after(() => project?.remove());

test("Node runs querytune/core", { timeout }, async () => {
  await project.run(process.execPath, ["src/main.mjs"]);
  assertResult(terminalResult(project));
});

test("Node finds the wasm by its subpath", async () => {
  const code = 'console.log(import.meta.resolve("querytune/querytune.wasm"))';
  const place = await project.run(process.execPath, ["--input-type=module", "--eval", code]);
  assert.match(place, /node_modules\/querytune\/dist\/wasm\/querytune_bg\.wasm/);
});
