// The command line of `npm run adapt`: what it refuses, and with which words. Nothing is set up or built for that.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Arguments } from "../../pkg/cli/arguments.mjs";
import { jobOptions, jobTable } from "../../pkg/cli/options.mjs";

const script = new URL("../../scripts/adapt.mjs", import.meta.url).pathname;
let folder;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "querytune-"));
  for (const name of ["log.csv", "docs.csv", "qrels.tsv"]) writeFileSync(join(folder, name), "id,text\n1,a\n");
});

after(() => rmSync(folder, { recursive: true }));

function adapt(args, env = {}) {
  const { npm_lifecycle_event: _, ...rest } = process.env;
  const result = spawnSync(process.execPath, [script, ...args], {
    cwd: folder,
    env: { ...rest, ...env },
    encoding: "utf8",
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

function refuses(args, pattern, env) {
  const { code, err } = adapt(args, env);
  assert.equal(code, 2, err);
  assert.match(err, pattern);
}

const both = ["--queries", "log.csv", "--documents", "docs.csv"];

test("help names every option and ends well", () => {
  const { code, out } = adapt(["--help"]);
  assert.equal(code, 0);
  for (const name of [
    "queries",
    "documents",
    "test-queries",
    "qrels",
    "out",
    "device",
    "dtype",
    "candidates",
    "depth",
    "budget-minutes",
    "bm25",
    "method",
    "seed",
    "fit",
  ]) {
    assert.match(out, new RegExp(`--${name} `));
  }
});

test("an unknown option is answered with the nearest one", () => {
  refuses(["--querys", "log.csv"], /no option --querys\. Do you mean --queries\?/);
});

test("an option far from all others gets no guess", () => {
  refuses(["--colour=blue"], /no option --colour\.\nSee/);
});

test("a value without an option is refused", () => refuses(["log.csv"], /"log\.csv" belongs to no option/));

test("an option without its value is refused", () => {
  refuses(["--queries"], /--queries needs a value/);
  refuses(["--queries", "--documents", "docs.csv"], /--queries needs a value/);
});

test("training options are a JSON object, in a file too, and give way to options of their own", () => {
  writeFileSync(join(folder, "fit.json"), '{ "loss": "mnrl", "lora": { "rank": 8 } }\n');
  const fit = (...args) => jobOptions(new Arguments(jobTable, { help: "--help", folder }).read(args)).fit;
  assert.deepEqual(fit(), {});
  assert.deepEqual(fit("--fit", "fit.json"), { loss: "mnrl", lora: { rank: 8 } });
  const own = ["--method", "lora", "--seed", "2"];
  assert.deepEqual(fit("--fit", '{"method":"head","seed":1,"epochs":3}', ...own), {
    method: "lora",
    seed: 2,
    epochs: 3,
  });
});

test("training options that are none are refused", () => {
  refuses([...both, "--fit", "{loss: mnrl}"], /--fit must be a JSON object, or a \.json file with one: /);
  refuses([...both, "--fit", "[1]"], /--fit must be a JSON object, such as .*; it is \[1\]/);
  refuses([...both, "--fit", "nowhere.json"], /--fit: there is no .*nowhere\.json/);
  refuses([...both, "--fit", '{"los":"mnrl"}'], /--fit: there is no training option los\. Do you mean loss\?/);
  refuses([...both, "--fit", '{"lora":{"rnk":8}}'], /no training option lora\.rnk\. Do you mean lora\.rank\?/);
  refuses([...both, "--fit", '{"judgements":{}}'], /--fit: there is no training option judgements/);
});

test("every training option that the package's types have is taken", () => {
  const types = readFileSync(new URL("../../pkg/src/types/training.ts", import.meta.url), "utf8");
  const options = (type) => {
    const [, body] = new RegExp(`export interface ${type} [^{]*\\{\\n([^]*?)\\n\\}`).exec(types);
    const names = [...body.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name).filter((name) => name !== "judgements");
    assert.ok(names.length >= 5, `${names}`);
    return Object.fromEntries(names.map((name) => [name, 1]));
  };
  const all = { ...options("FitOptions"), lora: options("LoraOptions") };
  const { fit } = jobOptions(new Arguments(jobTable, { help: "" }).read(["--fit", JSON.stringify(all)]));
  assert.deepEqual(fit, all);
});

test("queries without documents are refused", () => refuses(["--queries", "log.csv"], /--documents is missing/));

test("test queries without judgements are refused", () => {
  refuses([...both, "--test-queries", "log.csv"], /--test-queries needs --qrels/);
});

test("a file that is not there is named in full", () => {
  refuses(["--queries", "nowhere.csv", "--documents", "docs.csv"], /--queries: there is no .*nowhere\.csv/);
});

test("a model folder without config.json is refused", () => {
  refuses([...both, "--encoder", "."], /has no config\.json/);
});

test("numbers have to be whole and in range", () => {
  refuses([...both, "--depth", "0"], /--depth must be a whole number, at least 1/);
  refuses([...both, "--candidates", "1.5"], /--candidates must be a whole number/);
  refuses([...both, "--budget-minutes", "0"], /--budget-minutes must be a whole number, at least 1/);
  refuses([...both, "--bm25", "few"], /--bm25 must be a whole number, at least 0/);
  refuses([...both, "--seed=-1"], /--seed must be a whole number, at least 0/);
  refuses([...both, "--candidates", "5", "--depth", "6"], /--depth 6 is more than the 5 candidates/);
});

test("what a job is told is what was given, in the package's words", () => {
  const options = (...given) => jobOptions(new Arguments(jobTable, { help: "" }).read(given));
  assert.deepEqual(options(), { synthesize: {}, fit: {} });
  assert.deepEqual(options("--depth", "30", "--budget-minutes", "10", "--bm25", "5", "--method", "head"), {
    synthesize: { depth: 30, budgetSeconds: 600, bm25: 5 },
    fit: { method: "head" },
  });
});

test("choices are listed when none of them was made", () => {
  refuses([...both, "--device", "gpu"], /--device must be one of auto, webgpu, cpu/);
  refuses([...both, "--dtype", "int4"], /--dtype must be one of int16, int8, fp32/);
  refuses([...both, "--method", "mlp"], /--method must be one of query-head, head, lora/);
});

test("Node with WebGPU is refused, not silently moved to the CPU", () => {
  refuses([...both, "--runtime", "node", "--device", "webgpu"], /--runtime node has no WebGPU/);
});

test("options that npm took for its own are noticed", () => {
  refuses([], /have to follow two dashes/, { npm_config_queries: "log.csv" });
});
