// One file is read out of a zip that other software has written, and what is no zip is told from one.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { zipSync } from "fflate";
import { bundle } from "./support/part-page.mjs";

let fileInZip;

before(async () => {
  const script = await bundle('export { fileInZip } from "./www/src/zip.ts";');
  ({ fileInZip } = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`));
});

const content = "Größe, ".repeat(20);
const zip = (options) =>
  zipSync({ "über/uns.txt": Buffer.from("first"), "report.json": Buffer.from(content) }, options);
const read = async (bytes, path) => (await fileInZip(new Blob([bytes]), path))?.text();

test("stored and deflated files are read, by their whole path", async () => {
  for (const level of [0, 9]) {
    const bytes = zip({ level });
    assert.equal(await read(bytes, "report.json"), content, `level ${level}`);
    assert.equal(await read(bytes, "über/uns.txt"), "first");
    assert.equal(await read(bytes, "uns.txt"), undefined);
  }
});

test("extra fields and comments do not mislead", async () => {
  const bytes = zipSync({
    "report.json": [Buffer.from(content), { extra: { 9999: Buffer.from([1, 2, 3]) }, comment: "PK" }],
  });
  // A comment of the whole zip, with what looks like the end of a list in it.
  const comment = Buffer.from([80, 75, 5, 6, ...Buffer.alloc(40, 255)]);
  const whole = Buffer.concat([bytes, comment]);
  whole.writeUInt16LE(comment.length, bytes.length - 2);
  assert.equal(await read(whole, "report.json"), content);
});

test("what is no zip, or half of one, has no files", async () => {
  assert.equal(await read(Buffer.from(""), "report.json"), undefined);
  assert.equal(await read(Buffer.from("id,query\n1,tent\n"), "report.json"), undefined);
  const bytes = zip({ level: 9 });
  assert.equal(await read(bytes.subarray(0, bytes.length / 2), "report.json"), undefined);
});

test("a file that cannot be inflated is an error", async () => {
  const bytes = zipSync({ "report.json": Buffer.from(content) }, { level: 9 });
  // Where its content begins: there is no block of that kind.
  bytes.fill(0xff, 41, 45);
  await assert.rejects(read(bytes, "report.json"));
});
