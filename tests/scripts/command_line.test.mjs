// The command line of `npm run adapt`: what it refuses, and with which words. Nothing is set up or built for that.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
    "candidates",
    "depth",
    "budget-minutes",
    "bm25",
    "method",
    "seed",
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
  refuses([...both, "--method", "mlp"], /--method must be one of query-head, head, lora/);
});

test("Node with WebGPU is refused, not silently moved to the CPU", () => {
  refuses([...both, "--runtime", "node", "--device", "webgpu"], /--runtime node has no WebGPU/);
});

test("options that npm took for its own are noticed", () => {
  refuses([], /have to follow two dashes/, { npm_config_queries: "log.csv" });
});
