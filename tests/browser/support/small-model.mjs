// Models of any size with random weights, as folders that load: for what does not depend on what a model has learnt.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { models } from "../../../scripts/lib/paths.mjs";

/** Numbers from -0.5 to 0.5, the same every time (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 - 0.5;
  };
}

/** A safetensors file of F32 tensors: `[name, shape, numbers]`. */
function safetensors(tensors) {
  let end = 0;
  const header = {};
  for (const [name, shape, numbers] of tensors) {
    const begin = end;
    end += numbers.byteLength;
    header[name] = { dtype: "F32", shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...tensors.map(([, , { buffer }]) => Buffer.from(buffer))]);
}

/**
 * Writes a BERT with the tokenizer of the real model of that role (`encoder` or `crossEncoder`) into `folder`.
 */
export function writeSmallModel(folder, role, { hidden, heads, inner, layers = 2, seed = 1 }) {
  mkdirSync(folder, { recursive: true });
  const config = {
    model_type: "bert",
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: inner,
    vocab_size: 30522,
    max_position_embeddings: 512,
    ...(role === "crossEncoder" && { id2label: { 0: "LABEL_0" } }),
  };
  const number = random(seed);
  const tensor = (name, shape, of = number) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return [name, shape, Float32Array.from({ length: count }, of)];
  };
  const linear = (name, inputs, outputs) => [
    tensor(`${name}.weight`, [outputs, inputs]),
    tensor(`${name}.bias`, [outputs]),
  ];
  const norm = (name) => [tensor(`${name}.weight`, [hidden], () => 1 + number()), tensor(`${name}.bias`, [hidden])];
  const tensors = [
    tensor("embeddings.word_embeddings.weight", [config.vocab_size, hidden]),
    tensor("embeddings.position_embeddings.weight", [512, hidden]),
    tensor("embeddings.token_type_embeddings.weight", [2, hidden]),
    ...norm("embeddings.LayerNorm"),
  ];
  for (let layer = 0; layer < layers; layer++) {
    const name = (part) => `encoder.layer.${layer}.${part}`;
    for (const part of ["query", "key", "value"])
      tensors.push(...linear(name(`attention.self.${part}`), hidden, hidden));
    tensors.push(
      ...linear(name("attention.output.dense"), hidden, hidden),
      ...norm(name("attention.output.LayerNorm")),
    );
    tensors.push(...linear(name("intermediate.dense"), hidden, inner), ...linear(name("output.dense"), inner, hidden));
    tensors.push(...norm(name("output.LayerNorm")));
  }
  if (role === "crossEncoder")
    tensors.push(...linear("pooler.dense", hidden, hidden), ...linear("classifier", hidden, 1));
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  writeFileSync(join(folder, "model.safetensors"), safetensors(tensors));
  writeFileSync(join(folder, "tokenizer.json"), readFileSync(join(models[role], "tokenizer.json")));
}
