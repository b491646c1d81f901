// The examples of the package's README run as they stand, one after the other, in a page that has the models from an
// earlier visit, and in Node.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { run as runProgram } from "../../scripts/lib/command.mjs";
import { models, root } from "../../scripts/lib/paths.mjs";
import { file, folder } from "../../scripts/lib/server.mjs";
import { code } from "../packaging/support/guide.mjs";
import { compiled, ExamplePage } from "./support/example-page.mjs";

const timeout = 10 * 60_000;
const BODY = '<input type="file" multiple><input type="file" webkitdirectory><button id="stop">';
const examples = code("ts");
let files;
let opened;
/** A download, as soon as an example has made one. */
let zip;

/** The example that holds this text. */
function exampleWith(text) {
  const found = examples.filter((example) => example.includes(text));
  assert.equal(found.length, 1, text);
  return found[0];
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sample = (name, lines) =>
  `${readFileSync(join(root, "examples", "sample", name), "utf8")
    .split("\n")
    .slice(0, lines)
    .join("\n")}\n`;

before(
  async () => {
    files = mkdtempSync(join(tmpdir(), "querytune-readme-"));
    writeFileSync(join(files, "log.csv"), sample("queries.csv", 21));
    writeFileSync(join(files, "documents.csv"), sample("documents.csv", 201));
    const routes = {
      "/models/my-encoder/": folder(models.encoder),
      "/search/artifact.zip": async (request, response) => {
        if (request.method === "PUT") zip = await body(request);
        response.writeHead(200, { "content-type": "application/zip" }).end(request.method === "PUT" ? "" : zip);
      },
      "/search/documents.csv": file(join(files, "documents.csv")),
    };
    opened = await ExamplePage.open({ body: BODY, routes, timeout });
  },
  { timeout },
);

after(async () => {
  await opened?.close();
  rmSync(files, { recursive: true, force: true });
});

const runExample = (text, options) => opened.run(exampleWith(text), options);

test("the first rerank", { timeout }, async () => {
  await runExample("const [best] = await tuner.rerank", { names: ["tuner"], use: ({ tuner }) => tuner.dispose() });
  assert.match(opened.said[0], /^Learn to ride waves in a week\. 0\.\d+/);
});

test("a search box", { timeout }, async () => {
  await runExample("when are you open?", { names: ["tuner"], use: ({ tuner }) => tuner.dispose() });
  assert.match(opened.said[0], /^0\.\d+ Opening hours$/);
  assert.equal(opened.said.length, 2);
});

test("a model adapted to a log, judged, and gone on from", { timeout }, async () => {
  await opened.page
    .locator("input:not([webkitdirectory])")
    .setInputFiles([join(files, "log.csv"), join(files, "documents.csv")]);
  const made = await runExample("const [log, corpus] =", {
    names: ["zip", "run", "tuner", "base", "tuned"],
    use: async ({ zip, run, tuner, base, tuned }) => {
      Object.assign(globalThis, { run, tuner, zip });
      await fetch("/search/artifact.zip", { method: "PUT", body: zip });
      return { found: [base.length, tuned.length], delivered: run.report.fit.delivered };
    },
  });
  assert.deepEqual(made.found, [10, 10]);
  assert.ok(opened.said.some((line) => line.startsWith(made.delivered)));

  const qrels = await runExample("export async function judge", {
    use: ({ judge }) => judge(globalThis.run, async () => 1),
  });
  assert.match(qrels, /\t1\n/);

  const size = await runExample("export async function tonight", {
    use: async ({ tonight }) => {
      const [log, corpus] = document.querySelector("input").files;
      const blob = await tonight(globalThis.tuner, log, corpus, globalThis.zip);
      globalThis.tuner.dispose();
      return blob.size;
    },
  });
  assert.ok(size > 1e6, `${size}`);
  assert.match(opened.said[0], /^0 queries are new; 400 scores taken over$/);
});

test("the download, used", { timeout }, async () => {
  const { dims, isTuned } = await runExample("/search/artifact.zip", {
    names: ["model", "query"],
    use: ({ model, query }) => {
      const { isTuned } = model;
      model.dispose();
      return { dims: query.dims, isTuned };
    },
  });
  assert.deepEqual(dims, [1, 384]);
  assert.equal(opened.said[0].split(" ")[0], String(isTuned));
  assert.equal(opened.said.filter((line) => /^0\.\d+ /.test(line)).length, 3);
});

test("models from one's own server and from a folder", { timeout }, async () => {
  await opened.page.locator("input[webkitdirectory]").setInputFiles(models.crossEncoder);
  const info = await runExample("input[webkitdirectory]", {
    names: ["tuner"],
    use: ({ tuner }) => {
      const { models } = tuner.info;
      tuner.dispose();
      return [models.encoder.layers, models.crossEncoder.layers];
    },
  });
  assert.deepEqual(info, [6, 12]);
});

test("a load that is watched, and what is kept", { timeout }, async () => {
  await runExample("new AbortController()");
  assert.ok(
    opened.said.some((line) => /^load \d+ of \d+/.test(line)),
    opened.said.join("\n"),
  );
  await runExample("cachedModels()");
  assert.ok(
    opened.said.some((line) => /all-MiniLM-L6-v2\/resolve\/[0-9a-f]{40}\/ \d+ true$/.test(line)),
    opened.said.join("\n"),
  );
});

test("in Node, the models in folders", { timeout }, async () => {
  const source = exampleWith('from "querytune/core"')
    .replace('"querytune/core"', JSON.stringify(pathToFileURL(join(root, "pkg", "dist", "core.js")).href))
    .replace("file:///models/all-MiniLM-L6-v2/", pathToFileURL(`${models.encoder}/`).href)
    .replace("file:///models/ms-marco-MiniLM-L-12-v2/", pathToFileURL(`${models.crossEncoder}/`).href);
  writeFileSync(join(files, "example.mjs"), await compiled(`${source}\ntuner.dispose();`));
  assert.match(await runProgram(process.execPath, [join(files, "example.mjs")]), /\[ 1, 384 \]/);
});
