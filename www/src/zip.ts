/** One file out of a zip, without reading the rest of it. */

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;
/** The list's end and, before it, the longest comment. */
const TAIL = 22 + 0xffff;

/** Where the list of files is; undefined where this is no zip, or one of more than 4 GB. */
async function list(zip: Blob): Promise<DataView | undefined> {
  const tail = new DataView(await zip.slice(-TAIL).arrayBuffer());
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    // What looks like it may be in the comment; after the end itself there is the comment and no more.
    const isEnd = tail.getUint32(at, true) === END && at + 22 + tail.getUint16(at + 20, true) === tail.byteLength;
    if (!isEnd) continue;
    const [size, from] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
    if (from + size > zip.size) return undefined;
    return new DataView(await zip.slice(from, from + size).arrayBuffer());
  }
  return undefined;
}

/** The file of that path, inflated; undefined where there is none, or where this is no zip. */
export async function fileInZip(zip: Blob, path: string): Promise<Blob | undefined> {
  const entries = await list(zip);
  if (!entries) return undefined;
  let at = 0;
  while (at + 46 <= entries.byteLength && entries.getUint32(at, true) === ENTRY) {
    const number = (offset: number) => entries.getUint16(at + offset, true);
    const [method, size, begin] = [number(10), entries.getUint32(at + 20, true), entries.getUint32(at + 42, true)];
    const [nameSize, extraSize, commentSize] = [number(28), number(30), number(32)];
    const name = new Uint8Array(entries.buffer, entries.byteOffset + at + 46, nameSize);
    if (new TextDecoder().decode(name) === path) return inflated(zip, begin, size, method);
    at += 46 + nameSize + extraSize + commentSize;
  }
  return undefined;
}

async function inflated(zip: Blob, begin: number, size: number, method: number): Promise<Blob | undefined> {
  // The name and what follows it stand before the content once more, and may have another length there.
  const head = new DataView(await zip.slice(begin, begin + 30).arrayBuffer());
  if (head.byteLength < 30) return undefined;
  const from = begin + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const packed = zip.slice(from, from + size);
  if (method === STORED) return packed;
  if (method !== DEFLATED) return undefined;
  return new Response(packed.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob();
}
