// The installed package in Deno, as it comes from npm.
import { after, before, test } from "node:test";
import { assertResult } from "./support/expectations.mjs";
import { createProject, terminalFiles, terminalResult } from "./support/project.mjs";

const timeout = 5 * 60_000;
let project;

before(
  async () => {
    project = await createProject("deno", { dependencies: { deno: "2.9.6" }, files: terminalFiles });
  },
  { timeout },
);

after(() => project?.remove());

test("Deno runs querytune/core with leave to read and write files, and nothing else", { timeout }, async () => {
  const rights = ["--allow-read", "--allow-write=result.json", "--no-prompt"];
  await project.run("deno", ["run", "--node-modules-dir=manual", ...rights, "src/main.mjs"]);
  assertResult(terminalResult(project));
});
