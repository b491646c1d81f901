// Files and models that cannot be used: each is refused with a typed error where the person looks, and the page and
// the package go on working.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { models } from "../../scripts/lib/paths.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { openPackagePage, places } from "./support/package-page.mjs";
import { documents, queries } from "./support/tiny-job.mjs";

const timeout = 15 * 60_000;

/** The beginning of a spreadsheet, which is a zip. */
const spreadsheet = Buffer.from("PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml", "latin1");
const german = Buffer.from("id,query\n1,Gr\xf6\xdfe\n2,Stra\xdfe\n", "latin1");
const log = ["id,query", ...queries.map((query, i) => `${i + 1},${query}`)].join("\n");

describe("files chosen in the page", () => {
  let demo;
  let folder;

  before(
    async () => {
      folder = mkdtempSync(join(tmpdir(), "querytune-bad-"));
      demo = await DemoPage.open();
      await demo.visit();
      await demo.get("device-cpu").check();
    },
    { timeout },
  );

  after(async () => {
    await demo?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The error shown in a place: its code and its words. It has to be an alert, so that it is read out. */
  async function shown(testid) {
    const box = demo.get(testid);
    await box.waitFor();
    assert.equal(await box.getAttribute("role"), "alert");
    return { code: await box.getAttribute("data-code"), text: await box.innerText() };
  }

  for (const { name, file, content, code, says } of [
    { name: "an empty file", file: "empty.csv", content: "", code: "input-empty", says: /empty\.csv.*empty/s },
    {
      name: "a file with only a header",
      file: "header.csv",
      content: "id,query\n",
      code: "input-empty",
      says: /header\.csv, line 1.*header/s,
    },
    { name: "a spreadsheet", file: "log.xlsx", content: spreadsheet, code: "input-binary", says: /log\.xlsx.*CSV/s },
    {
      name: "an open quote",
      file: "quote.csv",
      content: 'id,query\n1,"coffee stains\n2,boots\n',
      code: "input-syntax",
      says: /quote\.csv, line 2/,
    },
  ]) {
    test(`${name} is refused in words, and nothing can be started with it`, { timeout }, async () => {
      await demo.choose("queries", file, content);
      const error = await shown("error-queries");
      assert.equal(error.code, code);
      assert.match(error.text, says);
      assert.ok(await demo.get("start").isDisabled());
    });
  }

  test("a wrong encoding is refused with the line, and the right one is read", { timeout }, async () => {
    await demo.choose("queries", "german.csv", german);
    await demo.get("summary-queries").waitFor();
    assert.match(await demo.get("reading-queries").innerText(), /Größe/);
    // An error before has opened it.
    if (!(await demo.get("queries-encoding").isVisible())) await demo.get("change-queries").click();
    await demo.get("queries-encoding").selectOption("utf-8");
    const error = await shown("error-queries");
    assert.equal(error.code, "input-encoding");
    assert.match(error.text, /german\.csv, line 2/);
    await demo.get("queries-encoding").selectOption("windows-1252");
    await demo.get("summary-queries").waitFor();
    assert.equal(await demo.get("error-queries").count(), 0);
    assert.match(await demo.get("reading-queries").innerText(), /Größe/);
  });

  test("ragged rows are skipped with their lines, the others are read", { timeout }, async () => {
    await demo.choose("queries", "ragged.csv", "id,query\n1,coffee stains\n2\n3,hiking boots\n4,chess,and more\n5,\n");
    const summary = demo.get("summary-queries");
    await summary.getByText("skipped").waitFor();
    assert.match(await summary.innerText(), /queries from 5 rows; \d rows skipped/);
    await demo.get("skipped-queries").locator("summary").click();
    const lines = await demo.get("skipped-queries").locator("li").allInnerTexts();
    assert.match(lines[0], /^Line 3: ./);
    assert.ok(
      lines.some((line) => line.startsWith("Line 6: ")),
      lines.join("\n"),
    );
  });

  test("judgements that are none are refused beside their field", { timeout }, async () => {
    await demo.get("judgements").locator("summary").first().click();
    await demo.choose("qrels", "qrels.tsv", "only one column\n1\n2\n");
    const error = await shown("error-qrels");
    assert.match(error.code, /^input-/);
    assert.match(error.text, /qrels\.tsv/);
    await demo.get("file-qrels-remove").click();
    assert.equal(await demo.get("error-qrels").count(), 0);
  });

  test("after all that, good files are read", { timeout }, async () => {
    await demo.choose("queries", "log.csv", log);
    await demo.choose("documents", "docs.txt", documents.join("\n"));
    await demo.get("summary-queries").getByText("6 queries").waitFor();
    await demo.get("summary-documents").getByText("20 documents").waitFor();
    assert.equal(await demo.page.getByRole("alert").count(), 0);
    assert.ok(await demo.get("start").isEnabled());
  });

  test("a model folder with weights cut short stops the job with its reason", { timeout }, async () => {
    const copies = {};
    for (const [role, path] of Object.entries(models)) {
      copies[role] = join(folder, basename(path));
      cpSync(path, copies[role], { recursive: true });
    }
    const weights = join(copies.encoder, "model.safetensors");
    writeFileSync(weights, readFileSync(weights).subarray(0, 1_000_000));
    await demo.get("models-folder").check();
    await demo.get("folder-encoder").setInputFiles(copies.encoder);
    await demo.get("folder-cross-encoder").setInputFiles(copies.crossEncoder);
    await demo.setNumber("candidates", 3);
    await demo.setNumber("depth", 2);
    await demo.get("start").click();
    assert.equal(await demo.waitForState(["failed"]), "failed");
    const error = await shown("error-job");
    assert.equal(error.code, "model-weights");
    assert.match(error.text, /model\.safetensors.*cut short/s);
    assert.equal(await demo.get("job-state").innerText(), "Stopped by an error.", "nothing was scored");
    await demo.screenshot("6-error");
  });

  test("with good models the same files then run to the end", { timeout }, async () => {
    await demo.get("models-server").check();
    await demo.get("start").click();
    assert.equal(await demo.waitForState(["done"]), "done");
    assert.equal(await demo.page.getByRole("alert").count(), 0);
    assert.deepEqual([(await demo.stage("score")).done, demo.failures], [12, []]);
  });
});

describe("models given to the package", () => {
  let opened;

  before(
    async () => {
      opened = await openPackagePage();
      await opened.page.evaluate(async (places) => {
        const { open, QuerytuneError } = await import(places.package);
        const read = async (place, names) => {
          const files = {};
          for (const name of names) {
            const response = await fetch(place + name);
            if (response.ok) files[name] = new Uint8Array(await response.arrayBuffer());
          }
          return files;
        };
        const shared = ["config.json", "tokenizer.json", "model.safetensors"];
        const pooling = ["modules.json", "sentence_bert_config.json", "1_Pooling/config.json"];
        const encoder = await read(places.encoder, [...shared, ...pooling]);
        const crossEncoder = await read(places.crossEncoder, shared);
        const session = await open({ store: "memory" });
        globalThis.session = session;
        // What was read before has to outlive the refusals.
        globalThis.log = await session.readQueries(["coffee stains", "hiking boots"]);
        /** Loads the models as they are but for one file; what was thrown, as plain data. */
        globalThis.refusal = async (role, path, change) => {
          const given = { encoder: { ...encoder }, crossEncoder: { ...crossEncoder } };
          const changed = change(given[role][path]);
          if (changed) given[role][path] = changed;
          else delete given[role][path];
          try {
            await session.load({ ...given, device: "cpu" });
            return { code: "none: it was loaded" };
          } catch (error) {
            const { code, message } = error;
            return { code, message, typed: error instanceof QuerytuneError };
          }
        };
        globalThis.edit = (bytes, key, value) => {
          const config = { ...JSON.parse(new TextDecoder().decode(bytes)), [key]: value };
          return new TextEncoder().encode(JSON.stringify(config));
        };
        globalThis.good = () => session.load({ encoder, crossEncoder, device: "cpu" });
      }, places);
    },
    { timeout },
  );

  after(() => opened?.close());

  const cases = [
    {
      name: "weights cut short",
      ask: () => globalThis.refusal("encoder", "model.safetensors", (bytes) => bytes.slice(0, 1_000_000)),
      code: "model-weights",
      says: /cut short/,
    },
    {
      name: "weights that are none",
      ask: () => globalThis.refusal("crossEncoder", "model.safetensors", (bytes) => bytes.slice(100_000, 200_000)),
      code: "model-weights",
      says: /safetensors/,
    },
    {
      name: "weights of another shape than the configuration",
      ask: () =>
        globalThis.refusal("encoder", "config.json", (bytes) => globalThis.edit(bytes, "intermediate_size", 1024)),
      code: "model-shape",
      says: /intermediate/,
    },
    {
      name: "fewer layers in the weights than in the configuration",
      ask: () =>
        globalThis.refusal("crossEncoder", "config.json", (bytes) => globalThis.edit(bytes, "num_hidden_layers", 13)),
      code: "model-shape",
      says: /layer\.12/,
    },
    {
      name: "a configuration of another family",
      ask: () => globalThis.refusal("encoder", "config.json", (bytes) => globalThis.edit(bytes, "model_type", "t5")),
      code: "model-config",
      says: /model_type/,
    },
    {
      name: "a missing tokenizer",
      ask: () => globalThis.refusal("encoder", "tokenizer.json", () => undefined),
      code: "model-file-missing",
      says: /tokenizer\.json/,
    },
    {
      name: "a tokenizer that is none",
      ask: () => globalThis.refusal("crossEncoder", "tokenizer.json", () => new TextEncoder().encode("{}")),
      code: "model-tokenizer",
      says: /tokenizer/,
    },
  ];
  for (const { name, ask, code, says } of cases) {
    test(`${name}: the load is refused with ${code}`, { timeout }, async () => {
      const refusal = await opened.page.evaluate(ask);
      assert.equal(refusal.code, code, refusal.message);
      assert.match(refusal.message, says);
      assert.ok(refusal.typed);
    });
  }

  test("a folder on a server that lacks its tokenizer is refused by that name", { timeout }, async () => {
    const tokenizer = `**${places.encoder}tokenizer.json`;
    await opened.page.route(tokenizer, (route) => route.fulfill({ status: 404, body: "Not found." }));
    const refusal = await opened.page.evaluate(async ({ encoder, crossEncoder }) => {
      const loading = globalThis.session.load({ encoder, crossEncoder, device: "cpu" });
      return loading.then(
        () => ({ code: "none: it was loaded" }),
        ({ code, message }) => ({ code, message }),
      );
    }, places);
    await opened.page.unroute(tokenizer);
    assert.equal(refusal.code, "model-file-missing", refusal.message);
    assert.match(refusal.message, /no tokenizer\.json/);
  });

  test("the same session then loads good models, and what it had read is still there", { timeout }, async () => {
    const found = await opened.page.evaluate(async () => {
      const tuner = await globalThis.good();
      const relations = await tuner.synthesize(
        globalThis.log,
        ["Stain remover for coffee.", "Boots for hiking.", "Wooden chess set."],
        {
          candidates: 2,
          depth: 2,
        },
      );
      const lists = [await relations.candidates(0), await relations.candidates(1)];
      return [globalThis.log.length, lists.map((list) => list[0].document)];
    });
    assert.deepEqual(found, [2, [0, 1]]);
  });
});
