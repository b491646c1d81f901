// Zip files, as far as downloads of this package need them: whole in memory, stored or deflated. Of Zip64, its lengths of
// files: a data set may be longer than 4 GiB, a zip with it is not.
import { crc32, inflateRawSync } from "node:zlib";
import { Failure } from "./terminal.mjs";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const ZIP64 = 1;

function broken(what) {
  return new Failure(`This is no whole zip file: ${what}. Copy or download it again.`);
}

/** The files in a zip by name; each is a function that unpacks it. Throws a `Failure` that says what is wrong. */
export function readZip(bytes) {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The end is a record of 22 bytes, perhaps followed by a comment.
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== END) end -= 1;
  if (end < 0) throw broken("its end is missing");
  const count = zip.readUInt16LE(end + 10);
  const files = new Map();
  let at = zip.readUInt32LE(end + 16);
  for (let entry = 0; entry < count; entry++) {
    if (at + 46 > end || zip.readUInt32LE(at) !== ENTRY) throw broken("its list of files is damaged");
    const method = zip.readUInt16LE(at + 10);
    const sum = zip.readUInt32LE(at + 16);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    const extra = zip.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const [size, packed] = lengths(zip.readUInt32LE(at + 24), zip.readUInt32LE(at + 20), extra);
    files.set(name, () => unpack(zip, { name, method, sum, packed, size, local }));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}

/** The lengths of a file, unpacked and packed; those that 32 bits cannot tell are in Zip64's field, in this order. */
function lengths(size, packed, extra) {
  const is64 = (length) => length === 0xffffffff;
  if (!is64(size) && !is64(packed)) return [size, packed];
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== ZIP64) continue;
    let place = at + 4;
    return [size, packed].map((length) => {
      if (!is64(length)) return length;
      place += 8;
      return Number(extra.readBigUInt64LE(place - 8));
    });
  }
  return [size, packed];
}

function unpack(zip, { name, method, sum, packed, size, local }) {
  if (local + 30 > zip.length || zip.readUInt32LE(local) !== LOCAL) throw broken(`${name} is not where it should be`);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const data = zip.subarray(start, start + packed);
  if (method !== 0 && method !== 8) throw broken(`${name} is packed in an unknown way`);
  const content = method === 0 ? data : inflateRawSync(data, { maxOutputLength: Math.max(size, 1) });
  if (content.length !== size || crc32(content) !== sum) throw broken(`${name} is damaged`);
  return content;
}
