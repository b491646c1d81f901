// transformers.js, as its documentation shows it.
import {
  AutoModelForSequenceClassification,
  AutoTokenizer,
  env,
  pipeline,
} from "/peers/transformers/transformers.min.js";
import { peer } from "./peer.js";

/**
 * `threads`: 0 leaves the choice to the library. `binary`: which of onnxruntime's builds. `file`: name of the ONNX
 * file. `only`: one of the two models.
 */
export async function open({ device, dtype, threads, binary = ".asyncify", file = "model", only }) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/models/";
  const { wasm } = env.backends.onnx;
  const build = `${location.origin}/peers/onnxruntime/ort-wasm-simd-threaded${binary}`;
  wasm.wasmPaths = { mjs: `${build}.mjs`, wasm: `${build}.wasm` };
  if (threads) wasm.numThreads = threads;
  const options = { device, dtype, model_file_name: file };
  const extractor = only !== "crossEncoder" && (await pipeline("feature-extraction", "encoder", options));
  const tokenizer = only !== "encoder" && (await AutoTokenizer.from_pretrained("crossEncoder"));
  const model =
    only !== "encoder" && (await AutoModelForSequenceClassification.from_pretrained("crossEncoder", options));
  return peer({
    info: { threads: wasm.numThreads, isolated: crossOriginIsolated },
    async embedBatch(texts) {
      const { data, dims } = await extractor(texts, { pooling: "mean", normalize: true });
      return texts.map((_, i) => data.slice(i * dims[1], (i + 1) * dims[1]));
    },
    async scoreBatch(pairs) {
      const queries = pairs.map(({ query }) => query);
      const documents = pairs.map(({ document }) => document);
      const inputs = tokenizer(queries, { text_pair: documents, padding: true, truncation: true });
      const { logits } = await model(inputs);
      return Array.from(logits.data);
    },
    async close() {
      await extractor?.dispose?.();
      await model?.dispose?.();
    },
  });
}
