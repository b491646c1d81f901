// `querytune adapt` from files to a tuned model, and what it says on the way.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { readZip } from "../browser/support/zip.mjs";
import { ownModels, sample, Workplace } from "./support/command.mjs";

const timeout = 5 * 60_000;
const place = new Workplace();
const small = ["--candidates", "8", "--depth", "4", "--seed", "7", ...ownModels];

before(() => {
  writeFileSync(place.path("log.csv"), sample("queries.csv", 13));
  writeFileSync(place.path("docs.csv"), sample("documents.csv", 121));
  writeFileSync(place.path("qrels.tsv"), sample("qrels.tsv", 200));
});

after(() => place.remove());

const both = ["--queries", "log.csv", "--documents", "docs.csv"];

test("a job leaves the artifact, the model, the adapter, the report and the scores", { timeout }, async () => {
  const { code, out, err } = await place.run("adapt", ...both, "--qrels", "qrels.tsv", "--out", "tuned", ...small);
  assert.equal(code, 0, err);
  assert.match(err, /log\.csv: csv, 12 rows, 12 texts/);
  assert.match(err, /score +48 of 48/);
  assert.ok(!err.includes("\x1b"), "a pipe gets no terminal codes");
  assert.match(out, /By your judgements/);
  assert.match(out, /95 % interval/);
  assert.match(out, /Trained on, without their judgements/);
  assert.match(out, /Delivered: the (tuned|base) model/);
  assert.match(out, /querytune search tuned DOCUMENTS/);
  const zip = readZip(readFileSync(place.path("tuned", "artifact.zip")));
  const unpacked = ["model/modules.json", "model/model.safetensors", "adapter/query_head.safetensors"];
  for (const name of [...unpacked, "model/1_Pooling/config.json"]) {
    assert.ok(zip.get(name).equals(readFileSync(place.path("tuned", ...name.split("/")))), name);
  }
  assert.equal(readFileSync(place.path("tuned", "scores.tsv"), "utf8").trimEnd().split("\n").length, 1 + 12 * 8);
  assert.equal(place.json("tuned", "report.json").stages.score.pairs, 48);
});

test("with --json stdout is one document, and a second job pays for nothing twice", { timeout }, async () => {
  const { code, out, err } = await place.run("adapt", ...both, "--out", "again", "--json", ...small);
  assert.equal(code, 0, err);
  const { delivered, reason, files, report } = JSON.parse(out);
  assert.ok(["tuned", "base"].includes(delivered));
  assert.equal(reason, report.fit.reason);
  assert.deepEqual(report, place.json("again", "report.json"));
  for (const path of Object.values(files)) assert.ok(statSync(path), path);
  const { pairs, cached } = report.stages.score;
  assert.deepEqual([pairs, cached], [48, 48]);
  assert.equal(report.evaluation.judged, undefined);
});

test("--continue joins a newer log, takes the scores over, and compares with the earlier model", {
  timeout,
}, async () => {
  writeFileSync(place.path("newer.csv"), sample("queries.csv", 17));
  const files = ["--queries", "newer.csv", "--documents", "docs.csv", "--continue", "tuned", "--out", "tuned"];
  // Another store: as on another computer.
  const store = ["--store", place.path("other-store")];
  const { code, out, err } = await place.run("adapt", ...files, ...store, "--qrels", "qrels.tsv", ...small);
  assert.equal(code, 0, err);
  assert.match(err, /score +64 of 64/);
  assert.match(
    out,
    /Since the earlier run of 12 queries and 120 documents: 4 queries and 0 documents are new; 48 scores/,
  );
  assert.match(out, /agreement, new queries left out +4/);
  assert.match(out, /nDCG@10 by your judgements/);
  const { previous, stages, data } = place.json("tuned", "report.json");
  assert.deepEqual([stages.score.pairs, stages.score.cached, data.queries], [64, 48, 16]);
  assert.equal(previous.agreement.queries, 4);
  const zip = readZip(readFileSync(place.path("tuned", "artifact.zip")));
  assert.match(zip.get("data/per-query-agreement.csv").toString(), /^query-id,query,count,agreement base/);
  assert.match(zip.get("data/per-query-judged.csv").toString(), /^query-id,query,count,ndcg@10 base/);
  assert.match(zip.get("README.md").toString(), /per-query-judged\.csv/);
});

test("--fit hands training options to the engine, which refuses values that make no sense", { timeout }, async () => {
  const fit = { loss: "margin-mse", sampling: "traffic", epochs: 2, seed: 1 };
  const job = [...both, "--out", "fitted", "--json", ...small];
  const { code, out, err } = await place.run("adapt", ...job, "--fit", JSON.stringify(fit));
  assert.equal(code, 0, err);
  const { loss, sampling, epochs, seed } = JSON.parse(out).report.fit.recipe;
  // The seed is that of --seed.
  assert.deepEqual({ loss, sampling, epochs, seed }, { ...fit, seed: 7 });
  const wrong = await place.run("adapt", ...job, "--fit", '{"loss":"none"}');
  assert.equal(wrong.code, 1);
  assert.equal(JSON.parse(wrong.out).error.code, "option");
  assert.match(wrong.err, /none/);
});

test("--dtype says which numbers the models compute in", { timeout }, async () => {
  const job = [...both, "--out", "eight", "--json", ...small];
  const { code, out, err } = await place.run("adapt", ...job, "--dtype", "int8");
  assert.equal(code, 0, err);
  assert.equal(JSON.parse(out).report.device.dtype, "int8");
  const wrong = await place.run("adapt", ...job, "--dtype", "int4");
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--dtype must be one of int16, int8, fp32/);
});

test("training options that cannot be meant are refused before any work", { timeout }, async () => {
  for (const [fit, name] of [
    ['{"epochs":1.5}', "epochs"],
    ['{"lora":{"rank":8}}', "lora"],
  ]) {
    const { code, out, err } = await place.run("adapt", ...both, "--out", "no", "--json", ...small, "--fit", fit);
    assert.equal(code, 1);
    const { error } = JSON.parse(out);
    assert.deepEqual([error.code, error.message.split(" ")[0]], ["option", name]);
    assert.doesNotMatch(err, /log\.csv/, "no file is read");
  }
});

test("what is to be gone on from has to be a download of the same encoder", { timeout }, async () => {
  const missing = await place.run("adapt", ...both, "--continue", "nowhere", "--out", "no", ...small);
  assert.equal(missing.code, 2);
  assert.match(missing.err, /--continue: there is no .*nowhere/);
  const other = await place.run("adapt", ...both, "--continue", "docs.csv", "--out", "no", ...small);
  assert.equal(other.code, 1);
  assert.match(other.err, /not a zip file/);
});

test("judgements that name nothing of the files are refused before any model is loaded, with ids of both", {
  timeout,
}, async () => {
  writeFileSync(place.path("strange.tsv"), "s1\tx1\t1\n");
  const files = [...both, "--qrels", "strange.tsv", "--out", "strange"];
  const { code, out, err } = await place.run("adapt", ...files, "--json", ...small);
  assert.equal(code, 1);
  assert.doesNotMatch(err, /load models/);
  const { error } = JSON.parse(out);
  assert.equal(error.code, "input-qrels");
  assert.equal(error.position.file, "strange.tsv");
  const [query, document] = ["log.csv", "docs.csv"].map(
    (name) => readFileSync(place.path(name), "utf8").split("\n")[1],
  );
  for (const id of ["s1", "x1", query.split(",")[0], document.split(",")[0]]) {
    assert.ok(error.message.includes(`"${id}"`), id);
  }
  assert.match(error.message, /--query-id-column, --id-column/);
  // Of an earlier run's documents nothing is known either.
  const continued = await place.run("adapt", ...files, "--continue", "tuned", "--json", ...small);
  assert.equal(JSON.parse(continued.out).error.code, "input-qrels");
  assert.doesNotMatch(continued.err, /load models/);
});

test("judgements that are of no earlier query either cost their figures, not the run", { timeout }, async () => {
  const document = sample("documents.csv", 2).split("\n")[1].split(",")[0];
  writeFileSync(place.path("unasked.tsv"), `s1\t${document}\t1\n`);
  const job = [...both, "--qrels", "unasked.tsv", "--continue", "tuned", "--out", "unasked"];
  const { code, out, err } = await place.run("adapt", ...job, "--json", ...small);
  assert.equal(code, 0, err);
  assert.match(err, /Warning: .*The run is written without figures by judgements/);
  const { files, report } = JSON.parse(out);
  for (const path of Object.values(files)) assert.ok(statSync(path), path);
  assert.equal(report.evaluation.judged, undefined);
});

test("a table from a German Excel is read as it is meant", { timeout }, async () => {
  const rows = ["Suchbegriff;Häufigkeit", "Gemüse für den Balkon;12", "Möbel aus Holz;7", "günstige Flüge;3"];
  writeFileSync(place.path("suche.csv"), Buffer.from(rows.join("\r\n"), "latin1"));
  const articles = ["Nr;Text", "1;Töpfe für Gemüse", "2;Schränke aus Eiche", "3;Flüge nach Lissabon", "4;Gießkanne"];
  writeFileSync(place.path("artikel.csv"), Buffer.from(articles.join("\r\n"), "latin1"));
  const files = ["--queries", "suche.csv", "--documents", "artikel.csv"];
  const { code, out, err } = await place.run(
    "adapt",
    ...files,
    "--out",
    "deutsch",
    "--json",
    "--candidates",
    "4",
    "--depth",
    "4",
    ...ownModels,
  );
  assert.equal(code, 0, err);
  const { queries, documents } = JSON.parse(out).report.data.readings;
  assert.deepEqual([queries.texts, queries.delimiter, documents.texts], [3, ";", 4]);
  assert.match(queries.encoding, /windows-1252/i);
  assert.match(queries.used.count, /Häufigkeit/);
  for (const note of [...queries.notes, ...documents.notes]) assert.ok(note.includes("windows-1252"), note);
  assert.equal(err.match(/^ {4}.*windows-1252/gm)?.length, 2, "a guess is said of both files");
});

test("a file that is no text ends with 1, its name and a code, before any model is loaded", { timeout }, async () => {
  writeFileSync(place.path("binary.csv"), Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0, 1, 0, 0xff]));
  const files = ["--queries", "binary.csv", "--documents", "docs.csv", "--out", "refused"];
  const { code, out, err } = await place.run("adapt", ...files, "--json", ...small);
  assert.equal(code, 1);
  assert.match(err, /input-binary at binary\.csv/);
  assert.doesNotMatch(err, /load models/);
  assert.doesNotMatch(err, /\n\s+at /, "no stack trace for what a person can mend");
  assert.equal(JSON.parse(out).error.code, "input-binary");
});

test("test queries are read by themselves, whatever the columns of the log", { timeout }, async () => {
  writeFileSync(place.path("freq.csv"), "query,freq\nsurfing lessons,3\nwaterproof boots,2\nchess rules,1\n");
  writeFileSync(place.path("texts.csv"), "id,text\n1,Learn to ride waves.\n2,Boots for wet days.\n3,Chess openings.\n");
  writeFileSync(place.path("test.csv"), "id,query\nt1,learn surfing\nt2,wet weather shoes\n");
  writeFileSync(place.path("test.tsv"), "weight\tpage\tasked\n1\t1\tt1\n1\t2\tt2\n");
  const log = "--queries freq.csv --query-column query --count-column freq --documents texts.csv".split(" ");
  const columns = ["--qrels-query-column", "asked", "--qrels-document-column", "page"];
  const judged = ["--test-queries", "test.csv", "--qrels", "test.tsv", ...columns];
  const size = ["--candidates", "3", "--depth", "3", ...ownModels];
  const { code, out, err } = await place.run("adapt", ...log, ...judged, "--out", "apart", "--json", ...size);
  assert.equal(code, 0, err);
  const { report } = JSON.parse(out);
  assert.match(report.data.readings.queries.used.count, /freq/);
  assert.match(err, /test\.csv: csv, 2 rows, 2 texts/);
  assert.match(err, /query id from asked, document id from page, relevance from weight/);
  assert.deepEqual([report.evaluation.on, report.evaluation.queries], ["test queries", 2]);
  const missing = ["--test-query-column", "nowhere"];
  const wrong = await place.run("adapt", ...log, ...judged, ...missing, "--out", "apart", "--json", ...size);
  assert.equal(JSON.parse(wrong.out).error.code, "input-column");
  assert.match(wrong.err, /test\.csv/);
});

test("a folder with somebody else's model in it is left alone", { timeout }, async () => {
  mkdirSync(place.path("mine", "model"), { recursive: true });
  writeFileSync(place.path("mine", "model", "weights"), "mine");
  const { code, err } = await place.run("adapt", ...both, "--out", "mine", ...small);
  assert.equal(code, 2);
  assert.match(err, /model is there, and not from querytune/);
  assert.equal(readFileSync(place.path("mine", "model", "weights"), "utf8"), "mine");
});

test("where the system refuses to write, the command ends before any work, with a code", { timeout }, async () => {
  const { code, out, err } = await place.run("adapt", ...both, "--out", "docs.csv/out", "--json", ...small);
  assert.equal(code, 1);
  assert.doesNotMatch(err, /load models/);
  const { error } = JSON.parse(out);
  assert.equal(error.code, "failed");
  assert.match(error.message, /docs\.csv/);
});
