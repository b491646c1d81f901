// The installed package as plain ES modules, behind a strict Content-Security-Policy: no bundler, an import map.
import { after, before, test } from "node:test";
import { assertJobInChromium, servePages } from "./support/pages.mjs";
import { createProject, plainPage } from "./support/project.mjs";

const timeout = 5 * 60_000;
let project;
let server;

before(
  async () => {
    project = await createProject("plain", { files: { "index.html": plainPage.html } });
    server = await servePages(project.folder, plainPage.headers);
  },
  { timeout },
);

after(async () => {
  await server?.close();
  project?.remove();
});

test("plain ES modules from a static server run the package under a strict policy", { timeout }, () =>
  assertJobInChromium(`${server.address}/`),
);
