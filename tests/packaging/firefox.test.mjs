// The installed package in Firefox as plain ES modules; what bundlers make of it is run there beside their own tests.
import { after, before, test } from "node:test";
import { assertBuildRunsInFirefox, skip } from "./support/firefox.mjs";
import { createProject, plainPage } from "./support/project.mjs";

const timeout = 5 * 60_000;
let project;

before(
  async () => {
    if (!skip) project = await createProject("firefox", { files: { "index.html": plainPage.html } });
  },
  { timeout },
);

after(() => project?.remove());

test("Firefox runs the package from plain ES modules, under a strict policy", { timeout, skip }, () =>
  assertBuildRunsInFirefox(project.folder, plainPage.headers),
);
