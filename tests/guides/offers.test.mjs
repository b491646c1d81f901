// The lines of Python that the page shows beside each download: they run as they stand, in a folder with the files.
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
import { documents, queries } from "../browser/support/tiny-job.mjs";

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
let python;
let tuner;
let relations;

before(
  async () => {
    python = await preparePythonOf("readers");
    const script = await bundle('export { offers } from "./www/src/offers.ts";');
    ({ offers } = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`));
    const place = (folder) => pathToFileURL(`${folder}/`);
    const [encoder, crossEncoder] = [place(models.encoder), place(models.crossEncoder)];
    tuner = await load({ encoder, crossEncoder, store: "memory", device: "cpu", threads: 1 });
    relations = await tuner.synthesize(queries, documents, { candidates: 10, depth: 5 });
  },
  { timeout },
);

after(() => tuner?.dispose());

/** What the lines of each download of a job come to: "ok", or Python's traceback. */
async function outcomes(options) {
  const folder = mkdtempSync(join(tmpdir(), "querytune-offers-"));
  const write = (name, content) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  const run = await tuner.fit(relations, { seed: 1, folds: 2, ...options });
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
    run.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const [options, names] of [
  [{ epochs: 2 }, ["artifact", "adapter", "gpl", "jsonl", "scores", "report", "per-query-agreement"]],
  [{ method: "head", epochs: 2 }, ["adapter", "adapter-2"]],
  [{ method: "lora", epochs: 1, lora: { rank: 2 } }, ["artifact", "adapter", "adapter-2"]],
]) {
  test(`the lines beside the downloads of ${options.method ?? "the default method"} run`, { timeout }, async () => {
    const found = await outcomes(options);
    for (const name of names) assert.ok(found[`download-${name}`], `download-${name} was run`);
    for (const [name, result] of Object.entries(found)) assert.equal(result, "ok", `${name}: ${result}`);
  });
}
