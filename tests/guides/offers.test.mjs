// The lines that the page shows beside each download run as they stand: Python in a folder with the files, JavaScript
// in a page of a server that has them.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { readZip } from "../../pkg/cli/zip.mjs";
import { load } from "../../pkg/dist/core.js";
import { run as runProgram } from "../../scripts/lib/command.mjs";
import { preparePythonOf } from "../../scripts/lib/interop.mjs";
import { models } from "../../scripts/lib/paths.mjs";
import { bundle } from "../browser/support/part-page.mjs";
import { ExamplePage } from "./support/example-page.mjs";
import { documents, queries } from "./support/small-log.mjs";

// The first time, torch is downloaded.
const timeout = 30 * 60_000;
/** Vectors that a person has already, which the lines for a head begin from. */
const GIVEN = "import numpy as np\nqueries = documents = np.eye(384, dtype=np.float32)[:2]\n";
/** Runs every file of lines in one process, so that torch is loaded once. */
const RUN_ALL = `import json, pathlib, traceback
results = {}
for path in sorted(pathlib.Path("lines").glob("*.py")):
    try:
        exec(compile(path.read_text(encoding="utf-8"), path.name, "exec"), {})
        results[path.stem] = "ok"
    except BaseException:
        results[path.stem] = traceback.format_exc()
print("RESULTS " + json.dumps(results))
`;

let offers;
let opened;
let python;
let tuner;
let relations;
/** The job of the test that runs, or of the last one. */
let run;
/** The download that the lines of JavaScript find. */
let artifact;

const sendArtifact = (_request, response) =>
  response.writeHead(200, { "content-type": "application/zip" }).end(artifact);

before(
  async () => {
    python = await preparePythonOf("readers");
    // Without models of its own: the download has to be enough.
    opened = await ExamplePage.open({ routes: { "/artifact.zip": sendArtifact }, kept: false, timeout });
    const script = await bundle('export { offers } from "./www/src/offers.ts";');
    ({ offers } = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`));
    const place = (folder) => pathToFileURL(`${folder}/`);
    const [encoder, crossEncoder] = [place(models.encoder), place(models.crossEncoder)];
    tuner = await load({ encoder, crossEncoder, store: "memory", device: "cpu", threads: 1 });
    relations = await tuner.synthesize(queries, documents, { depth: 8 });
  },
  { timeout },
);

after(async () => {
  tuner?.dispose();
  await opened?.close();
});

/** What the lines of Python beside each download of the job come to: "ok", or a traceback. */
async function outcomes() {
  const folder = mkdtempSync(join(tmpdir(), "querytune-offers-"));
  const write = (name, content) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  try {
    for (const { testid, file, code, make } of offers(run.report)) {
      const bytes = new Uint8Array(await (await make({ run, relations })).arrayBuffer());
      // "A folder with both files."
      write(file.startsWith("adapter_") ? join("adapter", file) : file, bytes);
      if (file === "artifact.zip") {
        // As unpacked: the folder of the model, and that of BEIR's files.
        for (const [name, content] of readZip(bytes)) {
          if (name.startsWith("model/")) write(name, content());
          if (name.startsWith("data/beir/")) write(name.slice("data/".length), content());
        }
      }
      // For the hub's model there is a folder here: to these libraries a path is as good as an id.
      const lines = code.replaceAll(JSON.stringify(run.report.models.encoder.id), JSON.stringify(models.encoder));
      write(join("lines", `${testid}.py`), GIVEN + lines);
    }
    write("all.py", RUN_ALL);
    const env = { HF_HUB_OFFLINE: "1", HF_HOME: join(folder, "hub"), CUDA_VISIBLE_DEVICES: "", TQDM_DISABLE: "1" };
    const printed = await runProgram(python, ["all.py"], { cwd: folder, env });
    return JSON.parse(/^RESULTS (.*)$/m.exec(printed)[1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs the lines of JavaScript beside a download; resolves to what they have found, and to what the package finds among
 * the same texts by the model that it has in memory, and by the base model.
 */
async function searches({ make, javascript }) {
  artifact = new Uint8Array(await (await make({ run, relations })).arrayBuffer());
  const found = await opened.run(javascript, {
    names: ["model", "hits"],
    use: ({ model, hits }) => {
      model.dispose();
      return hits;
    },
  });
  const [, texts] = /model\.index\((\[[^\]]*\])/.exec(javascript);
  const [, query] = /index\.search\(("[^"]*")/.exec(javascript);
  const search = async (model) => {
    const index = await model.index(JSON.parse(texts));
    const hits = await index.search(JSON.parse(query));
    index.dispose();
    return hits;
  };
  return { found, tuned: await search(run), base: await search(tuner) };
}

const jobs = [
  {
    options: { epochs: 15 },
    names: ["artifact", "adapter", "gpl", "jsonl", "scores", "report", "per-query-agreement"],
    isTuned: true,
  },
  { options: { method: "head", epochs: 15 }, names: ["adapter", "adapter-2"], isTuned: true },
  // Too little of it to be sure of a gain.
  { options: { method: "lora", epochs: 1, folds: 2, lora: { rank: 2 } }, names: ["artifact", "adapter", "adapter-2"] },
];

for (const { options, names, isTuned } of jobs) {
  const method = options.method ?? "the default method";

  test(`a job with ${method} is there`, { timeout }, async () => {
    run?.dispose();
    run = await tuner.fit(relations, { seed: 1, ...options });
    if (isTuned) assert.equal(run.report.fit.delivered, "tuned", run.report.fit.reason);
  });

  test(`the lines of Python beside the downloads of ${method} run`, { timeout }, async () => {
    const found = await outcomes();
    for (const name of names) assert.ok(found[`download-${name}`], `download-${name} was run`);
    for (const [name, result] of Object.entries(found)) assert.equal(result, "ok", `${name}: ${result}`);
  });

  test(`the lines of JavaScript find with ${method} what the package finds`, { timeout }, async () => {
    const withLines = offers(run.report).filter(({ javascript }) => javascript);
    assert.deepEqual(
      withLines.map(({ file }) => file),
      ["artifact.zip"],
    );
    const { found, tuned, base } = await searches(withLines[0]);
    const due = run.report.fit.delivered === "tuned" ? tuned : base;
    assert.deepEqual(
      found.map(({ text }) => text),
      due.map(({ text }) => text),
    );
    for (const [i, { score }] of found.entries()) {
      assert.ok(Math.abs(score - due[i].score) < 1e-6, `${score} and ${due[i].score}`);
      if (isTuned) assert.ok(Math.abs(score - base[i].score) > 1e-3, `the base model has ${base[i].score}`);
    }
    assert.deepEqual(opened.foreign, [], "nothing is fetched but the download");
  });
}
