// The command `querytune`: its help, what it refuses and with which words, and how it ends. Nothing is built for that.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Arguments } from "../../pkg/cli/arguments.mjs";
import { DEFAULT_CROSS_ENCODER, DEFAULT_ENCODER, findModel } from "../../pkg/cli/models.mjs";

const script = new URL("../../pkg/cli/querytune.mjs", import.meta.url).pathname;
let folder;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "querytune-"));
  for (const name of ["log.csv", "docs.csv", "qrels.tsv"]) writeFileSync(join(folder, name), "id,text\n1,a\n");
  mkdirSync(join(folder, "empty"));
});

after(() => rmSync(folder, { recursive: true }));

function querytune(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

function refuses(args, pattern) {
  const { code, out, err } = querytune(...args);
  assert.equal(code, 2, err);
  assert.match(err, pattern);
  assert.equal(out, "");
}

const files = ["--queries", "log.csv", "--documents", "docs.csv"];
const adapt = ["adapt", ...files, "--out", "tuned"];

test("help names the commands, the exit codes and the environment, and ends well", () => {
  for (const args of [["--help"], ["-h"], ["help"]]) {
    const { code, out, err } = querytune(...args);
    assert.deepEqual([code, err], [0, ""]);
    for (const word of ["adapt", "search", "130", "143", "129", "QUERYTUNE_CACHE", "HF_ENDPOINT"])
      assert.ok(out.includes(word), word);
  }
});

test("help fits in a terminal of 110 columns", () => {
  for (const args of [["help"], ["help", "adapt"], ["help", "search"]]) {
    for (const line of querytune(...args).out.split("\n")) assert.ok(line.length <= 110, line);
  }
});

test("a command's help names its options, whichever way it is asked for", () => {
  const options = {
    adapt: ["queries", "documents", "out", "qrels", "threads", "store", "json"],
    search: ["top", "json"],
  };
  for (const [name, known] of Object.entries(options)) {
    const { code, out } = querytune(name, "--help");
    assert.equal(code, 0);
    assert.equal(querytune("help", name).out, out);
    for (const option of known) assert.match(out, new RegExp(`^ {2}--${option} `, "m"));
  }
});

test("the version is the package's", () => assert.match(querytune("--version").out, /^\d+\.\d+\.\d+\n$/));

test("without a command the help goes to stderr", () => refuses([], /Usage: querytune COMMAND/));

test("an unknown command is answered with the nearest one", () => {
  refuses(["adpt"], /no command adpt\. Do you mean adapt\?/);
  refuses(["--verison"], /no option --verison/);
});

test("an unknown option is answered with the nearest one", () => {
  refuses(["adapt", "--querys", "log.csv"], /no option --querys\. Do you mean --queries\?\nSee querytune adapt --help/);
  refuses(["search", "--topk", "3"], /no option --topk\. Do you mean --top\?/);
});

test("what a job cannot do without is asked for", () => {
  refuses(["adapt"], /--queries and --documents are missing/);
  refuses(["adapt", ...files], /--out is missing/);
  refuses(["adapt", "--queries", "log.csv"], /--documents is missing/);
  refuses([...adapt, "--test-queries", "log.csv"], /--test-queries needs --qrels/);
  refuses(["search"], /MODEL is missing/);
  refuses(["search", "empty"], /DOCUMENTS is missing/);
  refuses(["search", "empty", "docs.csv", " "], /QUERY is missing/);
});

test("a model is a folder or a hub id, perhaps of a revision", () => {
  refuses([...adapt, "--encoder", "./nowhere"], /no folder .*nowhere, and "\.\/nowhere" is no hub id such as/);
  refuses([...adapt, "--encoder", "owner/name@"], /is no hub id such as/);
  const model = (value) =>
    findModel(new Arguments([["encoder", "MODEL", ""]], { help: "" }).read(["--encoder", value]), "encoder");
  const { host: _, ...found } = model("owner/name@refs/pr/1");
  assert.deepEqual(found, { hub: "owner/name", revision: "refs/pr/1" });
  assert.deepEqual(model("owner/name").revision, undefined);
  refuses([...adapt, "--cross-encoder", "empty"], /has no config\.json/);
});

test("the default models are the package's", () => {
  const source = readFileSync(new URL("../../pkg/src/models.ts", import.meta.url), "utf8");
  const named = (name) => new RegExp(`export const ${name} = "(.*)"`).exec(source)[1];
  assert.deepEqual(
    [DEFAULT_ENCODER, DEFAULT_CROSS_ENCODER],
    [named("DEFAULT_ENCODER"), named("DEFAULT_CROSS_ENCODER")],
  );
});

test("numbers and flags are checked", () => {
  refuses([...adapt, "--threads", "0"], /--threads must be a whole number, at least 1/);
  refuses([...adapt, "--candidates", "5", "--depth", "6"], /--depth 6 is more than the 5 candidates/);
  refuses([...adapt, "--json=yes"], /--json takes no value/);
  refuses(["search", "empty", "docs.csv", "a query", "another"], /"another" belongs to no option/);
});

test("with --json a failure is a document on stdout as well", () => {
  const { code, out, err } = querytune("adapt", "--json");
  assert.equal(code, 2);
  assert.match(err, /missing/);
  assert.deepEqual(Object.keys(JSON.parse(out)), ["error"]);
  assert.equal(JSON.parse(out).error.code, "usage");
});

test("a model that is not there fails with 1, before anything is loaded", () => {
  const { code, out, err } = querytune("search", "empty", "docs.csv", "a query", "--json");
  assert.equal(code, 1);
  assert.match(err, /holds no artifact\.zip/);
  assert.equal(JSON.parse(out).error.code, "failed");
});
