// Scores beside a download: they come out of the zip, and that they cannot be written costs nothing but them.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { zipSync } from "fflate";
import { runJob } from "../../pkg/cli/job.mjs";
import { unpackScores } from "../../pkg/cli/unpack.mjs";
import { readZip } from "../../pkg/cli/zip.mjs";

let out;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "querytune-unpack-"));
});
afterEach(() => rmSync(out, { recursive: true }));

const rows = "query-id\tcorpus-id\trank\tcosine\tlogit\nq1\td1\t1\t0.5\t2\n";
const files = () => readZip(zipSync({ "data/scores.tsv": Buffer.from(rows) }));

test("the scores are those of the zip", () => {
  const warnings = [];
  assert.equal(
    unpackScores(files(), out, (message) => warnings.push(message)),
    true,
  );
  assert.equal(readFileSync(join(out, "scores.tsv"), "utf8"), rows);
  assert.deepEqual(warnings, []);
});

test("scores that cannot be written are a warning that says where they are", () => {
  mkdirSync(join(out, "scores.tsv"));
  const warnings = [];
  assert.equal(
    unpackScores(files(), out, (message) => warnings.push(message)),
    false,
  );
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /^scores\.tsv could not be written \(.*artifact\.zip, as data\/scores\.tsv/);
});

test("a data set that is too long for one string is trained on, and saved", async () => {
  const tooLong = () => {
    throw Object.assign(new Error("The data set is too long for one string."), { code: "option" });
  };
  const relations = { summary: () => ({}), toScoresTsv: tooLong, toCsv: tooLong };
  const run = { report: { fit: {} }, saveArtifact: async () => "zip" };
  const tuner = { info: {}, synthesize: async () => relations, fit: async () => run };
  const texts = async () => ({ reading: {} });
  const session = { readQueries: texts, readDocuments: texts, load: async () => tuner, dispose() {} };
  const written = [];
  const host = { progress() {}, note() {}, output: async (name) => written.push(name) };
  const job = { session: {}, models: {}, files: { queries: {}, documents: {} } };
  assert.equal(await runJob(async () => session, job, host), run.report);
  assert.deepEqual(written, ["report.json", "artifact.zip"]);
});
