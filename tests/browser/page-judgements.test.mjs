// Judgements are shown as they were understood: how many, from which columns, the first rows, and what is wrong with them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.get("judgements").locator("summary").first().click();
  },
  { timeout },
);

after(() => demo?.close());

/** The summary of a file once it says what is wanted. */
async function summary(name, wanted) {
  await demo.get(`summary-${name}`).filter({ hasText: wanted }).waitFor();
  return demo.get(`summary-${name}`).innerText();
}

/** The rows of the preview, once there are so many. */
async function preview(rows) {
  const found = demo.get("preview-qrels").locator("tbody tr");
  await found.nth(rows - 1).waitFor();
  return found.evaluateAll((rows) => rows.map(({ cells }) => [...cells].map((cell) => cell.innerText)));
}

test("pasted judgements are shown with what they were taken for", { timeout }, async () => {
  await demo.get("file-qrels-paste").click();
  await demo.get("file-qrels-text").fill("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td1\t1\nq2\td2\thigh\n");
  await demo.get("file-qrels-take").click();
  assert.equal(await summary("qrels", "3 judgements"), "3 judgements of 2 queries: 2 relevant, 1 not; 1 row skipped.");
  assert.deepEqual(await preview(4), [
    ["2", "q1", "d1", "2 relevant"],
    ["3", "q1", "d2", "0 not relevant"],
    ["4", "q2", "d1", "1 relevant"],
    ["5", "q2", "d2", 'high skipped: the relevance "high" is not a whole number'],
  ]);
  assert.equal(
    await demo.get("how-qrels").innerText(),
    "Delimited text, separated by tab, first row is the header, utf‑8. Columns: query id from “query-id”, " +
      "document id from “corpus-id”, relevance from “score”.",
  );
});

test("every form in which judgements go around is shown as it was read", { timeout }, async () => {
  const forms = [
    ["Frage\tTreffer\tNote\nq1\td1\t1\nq1\td2\t0\nq2\td1\t3\n", "tab, first row", "“Note”"],
    ["q1,d1,1\r\nq1,d2,0\r\nq2,d1,3", "comma, no header", "column 3"],
    ['query,docid,rating\n"q1","d1","1"\n"q1" ,"d2","0"\n"q2",d1,3\n', "comma, first row", "“rating”"],
    ["query;docid;rating\nq1;d1;1\nq1;d2;0\n\nq2;d1;3\n", "semicolon, first row", "“rating”"],
    ["\n q1 d1 1\nq1 d2 0\nq2  d1  3\n", "spaces, no header", "column 3"],
    ["q1 0 d1 1\nq1 0 d2 0\nq2 0 d1 3\n", "spaces, no header", "column 4"],
    ["qid\titer\tdocid\trel\nq1\t0\td1\t1\nq1\t0\td2\t0\nq2\t0\td1\t3\n", "tab, first row", "“rel”"],
    ["q1\td1\t1\t2024\nq1\td2\t0\t2024\nq2\td1\t3\t2024\n", "tab, no header", "column 3"],
    ["\ufeffq1\td1\t1.0\nq1\td2\t0.0\nq2\td1\t3.\n", "tab, no header", "column 3"],
  ];
  for (const [i, [text, layout, relevance]] of forms.entries()) {
    // Another number of rows in each tells one from the form before.
    const more = text.trimEnd().split("\n").at(-1).trim();
    const extra = Array.from({ length: i % 2 }, () => `\n${more.replace("q2", "q3")}`).join("");
    await demo.choose("qrels", `form-${i}.txt`, `${text.trimEnd()}${extra}`);
    const judgements = 3 + (i % 2);
    await summary("qrels", `${judgements} judgements of ${judgements - 1} queries: ${judgements - 1} relevant, 1 not.`);
    const rows = (await preview(judgements)).slice(0, 3);
    assert.deepEqual(
      rows.map(([, query, document, grade]) => [query, document, grade.replace(/\.0?/, "")]),
      [
        ["q1", "d1", "1 relevant"],
        ["q1", "d2", "0 not relevant"],
        ["q2", "d1", "3 relevant"],
      ],
      text,
    );
    const how = await demo.get("how-qrels").innerText();
    assert.ok(how.includes(layout) && how.includes(`relevance from ${relevance}`), `${text}: ${how}`);
  }
});

test("quotes that enclose nothing are shown as text, and letters as they are encoded", { timeout }, async () => {
  await demo.choose("qrels", "quotes.tsv", '"hot" shoes\t17\t1\n"tent\t18\t0\n');
  await summary("qrels", "2 queries: 1 relevant");
  assert.deepEqual(
    (await preview(2)).map(([, query]) => query),
    ['"hot" shoes', '"tent'],
  );
  await demo.choose("qrels", "latin.csv", Buffer.from("gr\xfcn,17,1\n", "latin1"));
  await summary("qrels", "1 query");
  assert.equal((await preview(1))[0][1], "grün");
  await demo.choose("qrels", "utf-16.csv", Buffer.from("\ufeffgrün,18,1\n", "utf16le"));
  await demo.get("preview-qrels").getByText("18").waitFor();
  assert.equal((await preview(1))[0][1], "grün");
});

test("only the first of many judgements are shown, and all are counted", { timeout }, async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `query-${i}\tdocument-${i}\t1`);
  await demo.choose("qrels", "many.tsv", rows.join("\n"));
  await summary("qrels", "20,000 judgements of 20,000 queries: 20,000 relevant, 0 not.");
  assert.deepEqual((await preview(5)).at(-1), ["5", "query-4", "document-4", "1 relevant"]);
});

test("columns are found by their names in any order", { timeout }, async () => {
  const text = "relevance,doc_id,date,query_id\n1,d1,1 May,q1\n0,d2,2 May,q1\n";
  await demo.choose("qrels", "named.csv", text);
  await summary("qrels", "2 judgements of 1 query: 1 relevant, 1 not.");
  assert.match(
    await demo.get("how-qrels").innerText(),
    /query id from “query_id”, document id from “doc_id”, relevance from “relevance”\.$/,
  );
  assert.deepEqual((await preview(2))[0], ["2", "q1", "d1", "1 relevant"]);
});

test("columns that nothing tells apart can be chosen, and what is chosen is read at once", { timeout }, async () => {
  await demo.choose("qrels", "unnamed.tsv", "Gewicht\tTreffer\tFrage\nhoch\td1\tq1\n2\td2\tq2\n");
  await demo.get("error-qrels").filter({ hasText: "unnamed.tsv, line 2: None of the 2 rows is a judgement" }).waitFor();
  const pick = (name, label) => demo.get(`qrels-${name}-column`).selectOption({ label });
  await pick("relevance", "Gewicht");
  await summary("qrels", "1 judgement of 1 query: 1 relevant, 0 not; 1 row skipped.");
  await pick("query", "Frage");
  await pick("document", "Treffer");
  await demo.get("how-qrels").filter({ hasText: "query id from “Frage”, document id from “Treffer”" }).waitFor();
  assert.deepEqual(await preview(2), [
    ["2", "q1", "d1", 'hoch skipped: the relevance "hoch" is not a whole number'],
    ["3", "q2", "d2", "2 relevant"],
  ]);
  // A column that is chosen for another purpose is given up for the first one.
  await pick("query", "Treffer");
  await demo.get("how-qrels").filter({ hasText: "query id from “Treffer”, document id from “Frage”" }).waitFor();
  await demo.get("qrels-header").selectOption("false");
  await demo.get("error-qrels").waitFor();
  await demo.get("qrels-detect").click();
  await demo.get("error-qrels").filter({ hasText: "None of the 2 rows" }).waitFor();
});

test("delimiter, quotes and encoding can be chosen", { timeout }, async () => {
  await demo.choose("qrels", "pairs.txt", Buffer.from('\xb9,1;"d";1\n\xb9,2;"e";0\n', "latin1"));
  await summary("qrels", "2 judgements");
  assert.deepEqual((await preview(2))[0], ["1", "¹,1", "d", "1 relevant"]);
  await demo.get("qrels-encoding").selectOption("windows-1250");
  await demo.get("how-qrels").filter({ hasText: "windows‑1250" }).waitFor();
  assert.equal((await preview(2))[0][1], "ą,1");
  await demo.get("qrels-quotes").selectOption("false");
  await demo.get("preview-qrels").getByText('"d"').waitFor();
  await demo.get("qrels-delimiter").selectOption(" ");
  await demo.get("error-qrels").filter({ hasText: "1 field where 3 are needed" }).waitFor();
  await demo.get("qrels-delimiter").selectOption(";");
  await summary("qrels", "2 judgements");
});

test("of JSON it is said that judgements are not read from it", { timeout }, async () => {
  await demo.choose("qrels", "qrels.jsonl", '{"query-id":"q1","corpus-id":"d1","score":1}\n');
  await demo.get("error-qrels").filter({ hasText: "The file is JSON" }).waitFor();
});

test("judgements of which none is relevant are told of", { timeout }, async () => {
  await demo.choose("qrels", "none.tsv", "q1\td1\t0\nq1\td2\t-1\n");
  await demo.get("irrelevant-qrels").waitFor();
  assert.equal(await summary("qrels", "2 judgements"), "2 judgements of 1 query: 0 relevant, 2 not.");
});

test("what is no text has no preview", { timeout }, async () => {
  await demo.choose("qrels", "qrels.xlsx", Buffer.from("PK\x03\x04 q1 d1 1"));
  await demo.get("error-qrels").filter({ hasText: "Excel" }).waitFor();
  assert.equal(await demo.get("preview-qrels").count(), 0);
  assert.equal(await demo.get("change-qrels").count(), 0);
});

test("it is said when more rows were skipped than are listed", { timeout }, async () => {
  const file = (broken) => `query-id\tcorpus-id\tscore\n1\ta\t1\n${"2\tb\tmaybe\n".repeat(broken)}`;
  const skipped = demo.get("skipped-qrels").locator("summary");
  await demo.choose("qrels", "few.tsv", file(3));
  await skipped.getByText("3 skipped rows", { exact: true }).waitFor();
  await demo.choose("qrels", "many.tsv", file(1001));
  await skipped.getByText("1,001 skipped rows", { exact: true }).waitFor();
});

test("it is said how many judgements are of what was read", { timeout }, async () => {
  await demo.choose("queries", "log.csv", "id,query\nq1,boots\nq2,tent\n");
  await summary("queries", "2 queries");
  await demo.choose("documents", "shop.csv", "id,text\n1,Red shoe\n2,Black boot\n");
  await summary("documents", "2 documents");
  const judged = demo.get("judged-ids");
  const known = 'query,document,relevance\nq1,1,1\nq1,2,0\n"q2", 2 ,1.0\n';
  await demo.choose("qrels", "qrels.csv", known);
  await judged.filter({ hasText: "All 3 judgements are of known queries and documents." }).waitFor();
  await demo.choose("qrels", "qrels.csv", `${known}q1,7,1\nq9,1,1\n`);
  await judged.filter({ hasText: "3 judgements of 5 are of known queries and documents." }).waitFor();
  assert.match(await judged.innerText(), /Not among the queries: “q9”\. Not among the documents: “7”\.$/);
  await demo.choose("qrels", "qrels.txt", "q1 0 1 1\r\nq2 0 3 2\r\n");
  await judged.filter({ hasText: "1 judgement of 2 is of known queries and documents." }).waitFor();
  await demo.choose("qrels", "qrels.csv", `${known}q1,3,1\nq1,4,1\nq1,5,1\nq1,6,1\nq1,7,0\n`);
  await judged.filter({ hasText: "3 judgements of 8" }).waitFor();
  assert.match(await judged.innerText(), /documents\. Not among the documents: “3”, “4”, “5” and 2 more\.$/);
  assert.ok(await demo.get("start").isEnabled());
});

test("judgements of nothing that was read are refused before a job, with the ids of each file", {
  timeout,
}, async () => {
  await demo.choose("qrels", "qrels.tsv", "7\tdoc-1\t1\n8\tdoc-2\t1\n");
  const error = demo.get("error-judged-ids");
  await error.waitFor();
  assert.match(
    await error.innerText(),
    /Queries: the judgements name ids such as “7”, “8”; log\.csv has ids such as “q1”, “q2”\./,
  );
  assert.match(await error.innerText(), /Documents: .* “doc-1”, “doc-2”; shop\.csv has ids such as “1”, “2”\./);
  assert.ok(await demo.get("start").isDisabled());
  assert.match(await demo.get("strangers").innerText(), /of none of these queries and documents/);
  await demo.choose("test-queries", "test.csv", "id,query\n7,lamp\n");
  await error.filter({ hasText: "test.csv has ids such as “7” and some of those named" }).waitFor();
  await demo.get("file-qrels-remove").click();
  await error.waitFor({ state: "detached" });
  assert.ok(await demo.get("start").isEnabled());
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
