// The installed package in Vite projects: built, and from the development server.
import { join } from "node:path";
import { test } from "node:test";
import { assertBuildRunsInFirefox, skip } from "./support/firefox.mjs";
import { codeAfter } from "./support/guide.mjs";
import { assertBuildRuns, assertJobInChromium } from "./support/pages.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 5 * 60_000;
const html = `<!doctype html><html lang="en"><title>vite</title><script type="module" src="/src/app.js"></script></html>`;

/** A project of that version of Vite, while `use` needs it. */
async function withProject(version, files, use) {
  const project = await createProject("vite", {
    dependencies: { vite: version },
    files: { "index.html": html, ...files },
  });
  try {
    await use(project);
  } finally {
    project.remove();
  }
}

async function assertDevelopmentServerRuns(project) {
  project.publishModels();
  const server = await project.start("vite", ["--host=127.0.0.1"]);
  try {
    await assertJobInChromium(`${server.address}/`);
  } finally {
    await server.close();
  }
}

test("Vite without configuration", { timeout }, (context) =>
  withProject("8.3.8", {}, async (project) => {
    await context.test("builds a page that runs the package", async () => {
      await project.run("vite", ["build"]);
      await assertBuildRuns(join(project.folder, "dist"));
    });
    await context.test("builds a page that runs the package in Firefox", { skip }, () =>
      assertBuildRunsInFirefox(join(project.folder, "dist")),
    );
    await context.test("serves a page under development that runs the package", () =>
      assertDevelopmentServerRuns(project),
    );
  }),
);

test("Vite 7 with the guide's line serves a page under development that runs the package", { timeout }, () =>
  withProject(
    "7.1.12",
    { "vite.config.js": codeAfter("Vite 7 and older, `vite.config.js`:", "js") },
    assertDevelopmentServerRuns,
  ),
);
