// Vectors of texts in a store: what was encoded once is not encoded again.

const KEY = 16;
/** Texts that are encoded between two writes. */
const AT_ONCE = 256;

/** Vectors under their texts' keys: a log whose chunks are records of a key and the vector's F32 numbers. */
export class VectorStore {
  #store;
  #log;
  #dims;

  /** `store`: of the package's kind; undefined to keep nothing. `log`: its name, one for each model. */
  constructor(store, log, dims) {
    this.#store = store;
    this.#log = log;
    this.#dims = dims;
  }

  async #known() {
    const known = new Map();
    const size = KEY + 4 * this.#dims;
    const chunks = (await this.#store?.count(this.#log)) ?? 0;
    for (let chunk = 0; chunk < chunks; chunk++) {
      const bytes = await this.#store.read(this.#log, chunk);
      for (let at = 0; at + size <= bytes.length; at += size) {
        const key = Buffer.from(bytes.subarray(at, at + KEY)).toString("latin1");
        // Copied, so that its numbers begin where numbers may.
        known.set(key, new Float32Array(new Uint8Array(bytes.subarray(at + KEY, at + size)).buffer));
      }
    }
    return known;
  }

  /**
   * The vectors of texts, one a row, as `{ data, cached }`. `keyOf` gives a text's 16 bytes, `embed` the vectors of those
   * that are missing, `progress` hears of them as of a stage of the package.
   */
  async of(texts, { keyOf, embed, progress }) {
    const dims = this.#dims;
    const data = new Float32Array(texts.length * dims);
    const known = await this.#known();
    const missing = [];
    for (const [row, text] of texts.entries()) {
      const key = keyOf(text);
      const found = known.get(key.toString("latin1"));
      if (found) data.set(found, row * dims);
      else missing.push({ row, text, key });
    }
    const cached = texts.length - missing.length;
    // Texts of a length go together; the encoder's batches then hold little padding.
    missing.sort((a, b) => b.text.length - a.text.length);
    const from = performance.now();
    progress({ done: cached, total: texts.length, cached, perSecond: 0 });
    for (let first = 0; first < missing.length; first += AT_ONCE) {
      const some = missing.slice(first, first + AT_ONCE);
      const vectors = await embed(some.map(({ text }) => text));
      const records = some.map(({ row, key }, i) => {
        const vector = vectors.subarray(i * dims, (i + 1) * dims);
        data.set(vector, row * dims);
        return Buffer.concat([key, Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)]);
      });
      await this.#store?.append(this.#log, Buffer.concat(records));
      const done = first + some.length;
      const perSecond = (1000 * done) / (performance.now() - from);
      const secondsLeft = (missing.length - done) / perSecond;
      progress({ done: cached + done, total: texts.length, cached, perSecond, secondsLeft });
    }
    return { data, cached };
  }
}
