// The installed package in Firefox as plain ES modules; what bundlers make of it is run there beside their own tests.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { models, root } from "../../scripts/lib/paths.mjs";
import { folder, serve } from "../../scripts/lib/server.mjs";
import { assertBuildRunsInFirefox, inFirefox, skip } from "./support/firefox.mjs";
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

test("8-bit integers have the same bits with Firefox's kernel as in Node", { timeout, skip }, async () => {
  const texts = ["shoes for running in the rain", "Berlin has many people. ".repeat(20), ""];
  const options = { crossEncoder: false, store: "memory", dtype: "int8", threads: 1 };
  const found = await inFirefox(async (page) => {
    const blank = (_request, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
    const server = await serve({
      "/": blank,
      "/pkg/": folder(join(root, "pkg", "dist")),
      "/model/": folder(models.encoder),
    });
    try {
      await page.goto(`${server.address}/`);
      return await page.evaluate(
        async (options, texts) => {
          const { load } = await import("/pkg/index.js");
          const tuner = await load({ encoder: "/model/", ...options });
          const { data } = await tuner.embed(texts);
          return [...data];
        },
        options,
        texts,
      );
    } finally {
      await server.close();
    }
  });
  const tuner = await load({ encoder: pathToFileURL(`${models.encoder}/`), ...options });
  const { data } = await tuner.embed(texts);
  tuner.dispose();
  assert.deepEqual(found, [...data]);
});
