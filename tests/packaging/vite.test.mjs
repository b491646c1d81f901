// The installed package in a Vite project without configuration: built, and from the development server.
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertBuildRuns, assertJobInChromium } from "./support/pages.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 5 * 60_000;
const html = `<!doctype html><html lang="en"><title>vite</title><script type="module" src="/src/app.js"></script></html>`;

let project;

before(
  async () => {
    project = await createProject("vite", { dependencies: { vite: "8.3.8" }, files: { "index.html": html } });
  },
  { timeout },
);

after(() => project?.remove());

test("a page built by Vite runs the package", { timeout }, async () => {
  await project.run("vite", ["build"]);
  await assertBuildRuns(join(project.folder, "dist"));
});

test("a page from Vite's development server runs the package", { timeout }, async () => {
  project.publishModels();
  const server = await project.start("vite", ["--host=127.0.0.1"]);
  try {
    await assertJobInChromium(`${server.address}/`);
  } finally {
    await server.close();
  }
});
