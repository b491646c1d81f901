// How files are read by the command line: for queries and documents alike, or for one of them alone.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Arguments } from "../../pkg/cli/arguments.mjs";
import {
  documentReading,
  documentReadingTable,
  judgementsReading,
  queryReading,
  readingTable,
  testQueryReading,
} from "../../pkg/cli/options.mjs";
import { readOptions } from "../../scripts/lib/options.mjs";

function readings(...given) {
  const args = new Arguments(readingTable, { help: "" }).read(given);
  return { queries: queryReading(args), documents: documentReading(args) };
}

test("what is not given is found by itself", () => assert.deepEqual(readings(), { queries: {}, documents: {} }));

test("an option without a role is for queries and documents", () => {
  const both = { delimiter: "|", encoding: "utf-8", hasHeader: false, quotes: true };
  assert.deepEqual(readings("--delimiter", "pipe", "--encoding", "utf-8", "--header", "no", "--quotes", "yes"), {
    queries: both,
    documents: both,
  });
});

test("an option of one role leaves the other file alone", () => {
  assert.deepEqual(readings("--query-header", "no", "--document-delimiter", "tab", "--document-quotes", "no"), {
    queries: { hasHeader: false },
    documents: { delimiter: "\t", quotes: false },
  });
});

test("an option of one role goes before the one for both", () => {
  const found = readings(
    "--header",
    "yes",
    "--query-header",
    "no",
    "--encoding",
    "utf-8",
    "--query-encoding",
    "latin1",
  );
  assert.deepEqual(found, {
    queries: { encoding: "latin1", hasHeader: false },
    documents: { encoding: "utf-8", hasHeader: true },
  });
});

test("test queries have options of their own, and those of the log leave them alone", () => {
  const read = (...given) => testQueryReading(new Arguments(readingTable, { help: "" }).read(given));
  assert.deepEqual(read("--query-column", "query", "--count-column", "freq", "--query-format", "csv"), {});
  assert.deepEqual(read("--test-query-column", "2", "--test-query-id-column", "1", "--test-query-format", "csv"), {
    textColumn: "2",
    idColumn: "1",
    format: "csv",
  });
  assert.deepEqual(read("--header", "yes", "--encoding", "latin1", "--test-query-header", "no"), {
    encoding: "latin1",
    hasHeader: false,
  });
});

test("judgements have options of their own alone, and know spaces", () => {
  const read = (...given) => judgementsReading(new Arguments(readingTable, { help: "" }).read(given));
  assert.deepEqual(read("--header", "yes", "--delimiter", "tab", "--encoding", "latin1"), {});
  const columns = ["--qrels-query-column", "qid", "--qrels-document-column", "3", "--qrels-relevance-column", "grade"];
  assert.deepEqual(read(...columns, "--qrels-delimiter", "space", "--qrels-header", "no"), {
    delimiter: " ",
    hasHeader: false,
    queryColumn: "qid",
    documentColumn: "3",
    relevanceColumn: "grade",
  });
  assert.throws(
    () => read("--qrels-delimiter", "spaces"),
    /--qrels-delimiter must be one character, or one of .*space/,
  );
});

test("`npm run adapt` reads every file as its options say, judgements too", () => {
  const sample = fileURLToPath(new URL("../../examples/sample/", import.meta.url));
  const given = {
    queries: "queries.csv",
    documents: "documents.csv",
    "test-queries": "queries.csv",
    qrels: "qrels.tsv",
  };
  const files = Object.entries(given).flatMap(([name, file]) => [`--${name}`, join(sample, file)]);
  const columns = [
    "--query-column",
    "1",
    "--text-column",
    "2",
    "--test-query-column",
    "3",
    "--qrels-query-column",
    "4",
  ];
  const { files: read } = readOptions([...files, ...columns]);
  assert.deepEqual(Object.keys(read), ["queries", "documents", "testQueries", "qrels"]);
  assert.deepEqual(read.queries.options, { textColumn: "1" });
  assert.deepEqual(read.documents.options, { textColumn: "2" });
  assert.deepEqual(read.testQueries.options, { textColumn: "3" });
  assert.deepEqual(read.qrels.options, { queryColumn: "4" });
});

test("a search has the options of the documents alone", () => {
  const search = (...given) => documentReading(new Arguments(documentReadingTable, { help: "" }).read(given));
  assert.deepEqual(search("--header", "no", "--document-quotes", "no"), { hasHeader: false, quotes: false });
  assert.throws(() => search("--query-header", "no"), /no option --query-header/);
});

test("a value that makes no sense is refused by the option that has it", () => {
  assert.throws(() => readings("--query-header", "maybe"), /--query-header must be one of yes, no/);
  assert.throws(
    () => readings("--document-delimiter", "tabs"),
    /--document-delimiter must be one character, or one of/,
  );
});
