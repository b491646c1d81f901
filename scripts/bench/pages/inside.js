// The engine with its own benchmarks in it, all in this thread.
import { open as openCore } from "../bench/core.js";
import * as engine from "../bench/wasm/querytune.js";

const forgetful = { count: async () => 0, read: async () => new Uint8Array(), append: async () => {} };

const host = { progress: () => {}, cancelled: () => false, pause: async () => {} };

/** Without `models` only what needs none can be asked for. */
export async function open({ models }) {
  const session = await openCore({ store: forgetful });
  const tuner = models && (await session.load({ ...models, device: "cpu" }));
  return {
    info: tuner?.info,
    embed: async (texts) => (await tuner.embed(texts)).dims,
    /** GFLOP/s of the matrix kernel alone. */
    peak: (dtype, [rows, inputs, outputs], seconds) => engine.matrixPeak(dtype, rows, inputs, outputs, seconds),
    /** Seconds for the `count` nearest documents of random queries, exactly. */
    topK: ({ queries, documents, dims, count }) => engine.topKSeconds(queries, documents, dims, count, host),
    /** Bytes of the engine's memory after each of some numbers of batches. */
    async memory(batches, marks) {
      const bytes = [];
      for (let done = 1; done <= marks.at(-1); done++) {
        await tuner.embed(batches[done % batches.length]);
        if (marks.includes(done)) bytes.push(engine.memoryBytes());
      }
      return bytes;
    },
    close: () => session.dispose(),
  };
}
