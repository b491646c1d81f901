// The command's own reader of zip files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { zipSync } from "fflate";
import { readZip } from "../../pkg/cli/zip.mjs";

const text = (value) => new TextEncoder().encode(value);
const content = {
  "a.txt": text("stored or deflated ".repeat(50)),
  "folder/é.json": text("{}"),
  empty: new Uint8Array(0),
};

test("a zip by another library is read, stored or deflated", () => {
  for (const level of [0, 9]) {
    const files = readZip(zipSync(content, { level }));
    assert.deepEqual([...files.keys()], Object.keys(content));
    for (const [name, bytes] of Object.entries(content)) assert.deepEqual(new Uint8Array(files.get(name)()), bytes);
  }
});

test("a damaged zip is refused, not read", () => {
  const zip = zipSync(content, { level: 0 });
  assert.throws(() => readZip(zip.subarray(0, zip.length - 30)), /its end is missing/);
  zip[60] ^= 1;
  assert.throws(() => readZip(zip).get("a.txt")(), /a\.txt is damaged/);
  assert.throws(() => readZip(new Uint8Array(5)), /no whole zip file/);
});

test("lengths that Zip64 tells are read, those of files of 4 GiB and more", () => {
  const bytes = content["a.txt"];
  const lengths = Buffer.alloc(16);
  lengths.writeBigUInt64LE(BigInt(bytes.length), 0);
  lengths.writeBigUInt64LE(BigInt(bytes.length), 8);
  const zip = Buffer.from(zipSync({ "a.txt": [bytes, { level: 0, extra: { 1: lengths } }] }));
  const entry = zip.readUInt32LE(zip.length - 22 + 16);
  for (const place of [20, 24]) zip.writeUInt32LE(0xffffffff, entry + place);
  assert.deepEqual(new Uint8Array(readZip(zip).get("a.txt")()), bytes);
});
