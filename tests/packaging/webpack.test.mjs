// The installed package in a webpack 5 project without configuration.
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertBuildRunsInFirefox, skip } from "./support/firefox.mjs";
import { assertBuildRuns } from "./support/pages.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 5 * 60_000;
const html = (...scripts) =>
  `<!doctype html><html lang="en"><title>webpack</title><body>${scripts
    .map((name) => `<script src="${name}"></script>`)
    .join("")}</html>`;
/** Modules that page and worker have in common go to a file of their own, as with `splitChunks.chunks: "all"`. */
const split = `const shared = { test: /shared-/, name: "shared", chunks: "all", enforce: true };
export default { optimization: { splitChunks: { cacheGroups: { shared } } } };`;

let project;

before(
  async () => {
    project = await createProject("webpack", {
      dependencies: { webpack: "5.112.2", "webpack-cli": "7.3.1" },
      files: {
        "dist/index.html": html("main.js"),
        "split/index.html": html("shared.js", "main.js"),
        "split.config.js": split,
      },
    });
  },
  { timeout },
);

after(() => project?.remove());

/** Builds the page to that folder. */
async function build(folder, ...options) {
  await project.run("webpack", ["--mode=production", "./src/app.js", `--output-path=${folder}`, ...options]);
}

test("a page built by webpack runs the package", { timeout }, async () => {
  await build("dist");
  await assertBuildRuns(join(project.folder, "dist"));
});

test("that page runs the package in Firefox", { timeout, skip }, () =>
  assertBuildRunsInFirefox(join(project.folder, "dist")),
);

// The worker then begins with `importScripts`, which a module worker may not call.
test("a page whose worker webpack has split runs the package, helping workers included", { timeout }, async () => {
  await build("split", "--config=split.config.js");
  await assertBuildRuns(join(project.folder, "split"));
});

test("that page runs the package in Firefox, too", { timeout, skip }, () =>
  assertBuildRunsInFirefox(join(project.folder, "split")),
);
