// Files are chosen, dropped or pasted, read again as soon as something is changed, and every row is accounted for.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

/** The summary of a file once it says what is wanted. */
async function summary(name, wanted) {
  await demo.get(`summary-${name}`).filter({ hasText: wanted }).waitFor();
  return demo.get(`summary-${name}`).innerText();
}

test("pasted lines are taken for queries, and pasted columns for columns", { timeout }, async () => {
  await demo.get("file-queries-paste").click();
  await demo.get("file-queries-text").fill("waterproof boots\ncheap flights, lisbon\n");
  await demo.get("file-queries-take").click();
  assert.equal(await summary("queries", "2 queries"), "2 queries from 2 rows.");
  await demo.get("file-queries-paste").click();
  await demo.get("file-queries-text").fill("id\tquery\tcount\n7\tboots\t12\n8\ttent\t3\n9\tlamp\t1\n");
  await demo.get("file-queries-take").click();
  assert.equal(await summary("queries", "3 queries"), "3 queries from 3 rows.");
  assert.match(await demo.get("preview-queries").innerText(), /7\s+boots\s+12/);
});

test("a dropped file is read", { timeout }, async () => {
  await demo.page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(["id,text\na,One shoe\nb,One boot\n"], "dropped.csv"));
    const field = document.querySelector("[data-testid=file-documents]").closest("fieldset");
    field.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  assert.equal(await summary("documents", "2 documents"), "2 documents from 2 rows.");
  assert.equal(await demo.get("file-documents").locator("xpath=..").locator(".chosen b").innerText(), "dropped.csv");
});

test("a file that is dropped beside the fields does not take the place of the page", { timeout }, async () => {
  const taken = await demo.page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(["id,text\n"], "dropped.csv"));
    return document
      .querySelector("h1")
      .dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  assert.equal(taken, false, "the browser's own handling is prevented");
});

/** Pastes with a key into what has the focus, from a clipboard with a text and perhaps a picture of it. */
async function paste(text, { picture }) {
  await demo.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await demo.page.evaluate(
    async ({ text, picture }) => {
      const canvas = new OffscreenCanvas(8, 8);
      canvas.getContext("2d");
      const content = { "text/plain": new Blob([text], { type: "text/plain" }) };
      if (picture) content["image/png"] = await canvas.convertToBlob();
      await navigator.clipboard.write([new ClipboardItem(content)]);
    },
    { text, picture },
  );
  await demo.page.keyboard.press("ControlOrMeta+V");
}

test("cells that were copied with a picture of themselves are pasted as text", { timeout }, async () => {
  const cells = "id\tquery\n1\tgas stove\n2\tsleeping bag\n";
  await demo.get("file-queries-paste").click();
  await demo.get("file-queries-text").focus();
  await paste(cells, { picture: true });
  await demo.page.waitForFunction(
    (cells) => document.querySelector("[data-testid=file-queries-text]").value === cells,
    cells,
  );
  await demo.get("file-queries-take").click();
  assert.equal(await summary("queries", "2 queries"), "2 queries from 2 rows.");
});

/** Whether the field of documents takes a file that is pasted into it. */
const takesPasted = (name) =>
  demo.page.evaluate((name) => {
    const data = new DataTransfer();
    data.items.add(new File(["id,text\na,One lamp\n"], name));
    const field = document.querySelector("[data-testid=file-documents]").closest("fieldset");
    return !field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, name);

test("a file is pasted, but not while the fields are out of use", { timeout }, async () => {
  assert.equal(await takesPasted("pasted.csv"), true);
  await summary("documents", "1 document");
  const setDisabled = (disabled) =>
    demo.get("use-sample").evaluate((button, disabled) => {
      button.closest("fieldset").disabled = disabled;
    }, disabled);
  await setDisabled(true);
  assert.equal(await takesPasted("other.csv"), false);
  await setDisabled(false);
  assert.equal(await demo.get("file-documents-chosen").locator("b").innerText(), "pasted.csv");
});

const long = "word ".repeat(400).trim();

test("rows that were merged, skipped, or are very long are counted and listed by line", { timeout }, async () => {
  await demo.choose("documents", "shop.csv", `id,text\na,One shoe\nb,\nc,One shoe\nd,"${long}"\n`);
  assert.equal(
    await summary("documents", "very long"),
    "2 documents from 4 rows; 1 duplicate merged; 1 row skipped; 1 very long text.",
  );
  for (const [list, line] of [
    ["skipped", "Line 3: the text is empty"],
    ["merged", "Line 4: the same text as on line 2"],
    ["long", "Line 5: 1999 characters; models may not read to the end"],
  ]) {
    await demo.get(`${list}-documents`).locator("summary").click();
    assert.ok((await demo.get(`${list}-documents`).innerText()).includes(line), list);
  }
});

test("another delimiter, header or column is read at once", { timeout }, async () => {
  await demo.choose("documents", "shop.csv", "id;name;body\na;Shoe;Red, with laces\nb;Boot;Black, without\n");
  await summary("documents", "2 documents");
  await demo.get("change-documents").click();
  await demo.get("documents-text-column").selectOption("body");
  await demo.get("documents-title-column").selectOption("name");
  await demo.get("preview-documents").getByText("Red, with laces").waitFor();
  assert.match(await demo.get("preview-documents").innerText(), /a\s+Shoe\s+Red, with laces/);
  await demo.get("documents-header").selectOption("false");
  await summary("documents", "3 documents");
  await demo.get("documents-detect").click();
  await summary("documents", "2 documents");
});

const choices = (testid) =>
  demo
    .get(testid)
    .locator("option")
    .evaluateAll((options) => options.map(({ value, textContent }) => [value, textContent]));

test("where no column looks like text, the one to use is chosen there and then", { timeout }, async () => {
  await demo.choose("documents", "stock.csv", "id,size,size\na,41,7\nb,42,8\n");
  await demo.get("error-documents").getByText("Name the one to use").waitFor();
  const select = demo.get("documents-text-column");
  await select.locator("option", { hasText: "size (column 3)" }).waitFor({ state: "attached" });
  assert.deepEqual((await choices("documents-text-column")).slice(1), [
    ["1", "id"],
    ["2", "size (column 2)"],
    ["3", "size (column 3)"],
  ]);
  await select.focus();
  await select.selectOption("3");
  assert.equal(await summary("documents", "2 documents"), "2 documents from 2 rows.");
  assert.match(await demo.get("preview-documents").innerText(), /a\s+7/);
  assert.equal(await demo.focused(), "documents-text-column", "what was chosen last keeps the focus");
  assert.ok(await select.isVisible());
});

test("columns of one name are told apart by their numbers", { timeout }, async () => {
  assert.deepEqual(await choices("documents-text-column"), [
    ["id", "id"],
    ["2", "size (column 2)"],
    ["3", "size (column 3)"],
  ]);
  assert.match(await demo.get("reading-documents").innerText(), /text from “size \(column 3\)”/);
  await demo.get("documents-text-column").selectOption("2");
  await demo.get("preview-documents").getByText("41").waitFor();
});

test("a column that leaves nothing to read is put right by another", { timeout }, async () => {
  await demo.choose(
    "documents",
    "lines.jsonl",
    '{"sku":"a","note":"","body":"One shoe"}\n{"sku":"b","note":"","body":"A boot"}\n',
  );
  await summary("documents", "2 documents");
  await demo.get("documents-text-column").selectOption("note");
  await demo.get("error-documents").waitFor();
  await demo.get("documents-text-column").selectOption({ label: "body" });
  assert.equal(await summary("documents", "2 documents"), "2 documents from 2 rows.");
});

test("the first of plain lines can be taken for a header, or not", { timeout }, async () => {
  await demo.choose("documents", "lines.txt", "Things to wear\nOne shoe\nOne boot\n");
  await summary("documents", "3 documents");
  await demo.get("documents-header").selectOption("true");
  await summary("documents", "2 documents");
  assert.match(await demo.get("reading-documents").innerText(), /One text a line, first line is the header/);
  await demo.get("documents-header").selectOption("false");
  await summary("documents", "3 documents");
});

test("where a quote is never closed, quotes can be taken for text", { timeout }, async () => {
  await demo.choose("queries", "log.csv", 'id,query\n1,19" rack\n2,"24 inch monitor\n3,tent\n');
  await demo.get("error-queries").filter({ hasText: "quote that opens here" }).waitFor();
  await demo.get("queries-quotes").selectOption({ label: "are text like any other" });
  await demo.page.getByText("3 queries from 3 rows.").waitFor();
  assert.match(await demo.get("preview-queries").innerText(), /"24 inch monitor/);
});

test("a wrong encoding can be put right", { timeout }, async () => {
  await demo.choose(
    "documents",
    "shop.csv",
    Buffer.from("id,text\na,Schuh f\xfcr Regen\nb,Gr\xfcner Stiefel\n", "latin1"),
  );
  await summary("documents", "2 documents");
  await demo.get("documents-encoding").selectOption("windows-1251");
  await demo.get("preview-documents").getByText("Schuh fьr Regen").waitFor();
  await demo.get("documents-encoding").selectOption("windows-1252");
  await demo.get("preview-documents").getByText("Schuh für Regen").waitFor();
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
