// onnxruntime-web by itself: the tokenizer of transformers.js, the graphs fed directly, pooling by hand.
import { Tokenizer } from "/peers/tokenizers/tokenizers.min.mjs";
import { peer } from "./peer.js";

const json = async (path) => (await fetch(path)).json();

async function openTokenizer(folder) {
  return new Tokenizer(await json(`${folder}tokenizer.json`), await json(`${folder}tokenizer_config.json`));
}

/** Texts side by side, the shorter ones padded. */
function feeds(ort, encodings) {
  const length = Math.max(...encodings.map(({ ids }) => ids.length));
  const dims = [encodings.length, length];
  const [ids, mask, types] = Array.from({ length: 3 }, () => new BigInt64Array(dims[0] * length));
  for (const [row, encoding] of encodings.entries()) {
    for (const [i, id] of encoding.ids.entries()) {
      const place = row * length + i;
      ids[place] = BigInt(id);
      mask[place] = 1n;
      types[place] = BigInt(encoding.token_type_ids[i]);
    }
  }
  const tensor = (data) => new ort.Tensor("int64", data, dims);
  return { input_ids: tensor(ids), attention_mask: tensor(mask), token_type_ids: tensor(types) };
}

/** Mean over the text's own tokens, of length 1. */
function pooled({ data, dims: [, length, size] }, encodings) {
  return encodings.map(({ ids }, row) => {
    const vector = new Float32Array(size);
    for (let token = 0; token < ids.length; token++) {
      const start = (row * length + token) * size;
      for (let i = 0; i < size; i++) vector[i] += data[start + i];
    }
    const norm = Math.hypot(...vector);
    return vector.map((value) => value / norm);
  });
}

/** As of `transformers.js`; `library`: which of onnxruntime's modules. */
export async function open({ device, threads, binary = "", library = "ort.wasm.min.mjs", file, files }) {
  const ort = await import(`/peers/onnxruntime/${library}`);
  const build = `${location.origin}/peers/onnxruntime/ort-wasm-simd-threaded${binary}`;
  ort.env.wasm.wasmPaths = { mjs: `${build}.mjs`, wasm: `${build}.wasm` };
  if (threads) ort.env.wasm.numThreads = threads;
  const session = (role) =>
    ort.InferenceSession.create(`/models/${role}/onnx/${files?.[role] ?? file}.onnx`, {
      executionProviders: [device],
      graphOptimizationLevel: "all",
    });
  const encoder = { tokenizer: await openTokenizer("/models/encoder/"), session: await session("encoder") };
  const cross = { tokenizer: await openTokenizer("/models/crossEncoder/"), session: await session("crossEncoder") };
  const encode = (tokenizer, text, second = null) =>
    tokenizer.encode(text, { text_pair: second, return_token_type_ids: true });
  return peer({
    info: { threads: ort.env.wasm.numThreads, isolated: crossOriginIsolated },
    async embedBatch(texts) {
      const encodings = texts.map((text) => encode(encoder.tokenizer, text));
      const { last_hidden_state: states } = await encoder.session.run(feeds(ort, encodings));
      return pooled(states, encodings);
    },
    async scoreBatch(pairs) {
      const encodings = pairs.map(({ query, document }) => encode(cross.tokenizer, query, document));
      const { logits } = await cross.session.run(feeds(ort, encodings));
      return Array.from(logits.data);
    },
    async close() {
      await encoder.session.release();
      await cross.session.release();
    },
  });
}
