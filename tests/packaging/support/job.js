// What every project does with the installed package. It is copied into the projects: a stranger's code.

/**
 * Embeds, reranks and adapts a tiny log with the `load` of `querytune` or `querytune/core`. Resolves to plain data.
 * `warnings` of the package are among them: a worker that cannot help is one, and nothing fails because of it.
 */
export async function job(load, { encoder, crossEncoder, texts, query, passages, queries, documents }) {
  const warnings = [];
  const tuner = await load({
    encoder,
    crossEncoder,
    device: "cpu",
    dtype: "fp32",
    threads: 2,
    store: "memory",
    onWarning: (message) => warnings.push(message),
  });
  try {
    const { data, dims } = await tuner.embed(texts);
    const ranked = await tuner.rerank(query, passages);
    const relations = await tuner.synthesize(queries, documents, { candidates: 5, depth: 3 });
    const candidates = [];
    for (let i = 0; i < queries.length; i++) candidates.push(await relations.candidates(i));
    const run = await tuner.fit(relations, { seed: 7, epochs: 6, folds: 2 });
    const { base, tuned } = await run.search(queries[0], { topK: 3 });
    const artifact = new Uint8Array(await (await run.saveArtifact()).arrayBuffer());
    const refused = await tuner.fit({}).catch(({ name, code, message }) => ({ name, code, message }));
    return {
      info: tuner.info,
      vectors: Array.from({ length: dims[0] }, (_, i) => Array.from(data.subarray(i * dims[1], (i + 1) * dims[1]))),
      ranked,
      candidates,
      report: run.report,
      found: { base, tuned },
      artifact: base64(artifact),
      refused,
      warnings,
    };
  } finally {
    tuner.dispose();
  }
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}
