// The installed package as plain ES modules, behind a strict Content-Security-Policy: no bundler, an import map.
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { assertJobInChromium, servePages } from "./support/pages.mjs";
import { createProject } from "./support/project.mjs";

const timeout = 5 * 60_000;
const importMap = JSON.stringify({ imports: { querytune: "./node_modules/querytune/dist/index.js" } });
const html = `<!doctype html><html lang="en"><title>plain</title>
<script type="importmap">${importMap}</script><script type="module" src="src/app.js"></script></html>`;

/** The policy that the guide of the package gives, with the hash of the import map. */
const policy = [
  "default-src 'none'",
  `script-src 'self' 'wasm-unsafe-eval' 'sha256-${createHash("sha256").update(importMap).digest("base64")}'`,
  "worker-src 'self'",
  "connect-src 'self'",
].join("; ");

let project;
let server;

before(
  async () => {
    project = await createProject("plain", { files: { "index.html": html } });
    server = await servePages(project.folder, { "content-security-policy": policy });
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
