// One job through the npm package's public API. It runs as it is in the headless browser and in Node.

/** Reads, synthesizes, fits and hands out the results.
 *
 * @param open the package's `open`
 * @param job `{ session, models, device, threads, files, synthesize, fit }`; each file is `{ name, bytes, options }`
 * @param host `{ progress(event), note(kind, data), output(name, data), signal }`
 */
export async function runJob(open, job, { progress, note, output, signal }) {
  const session = await open({ ...job.session, onWarning: (message) => note("warning", message) });
  try {
    const watch = { onProgress: progress, signal };
    const { queries, documents, testQueries, qrels } = await readInputs(session, job.files, note, watch);
    const { models, device, threads } = job;
    const tuner = await session.load({ ...models, device, threads, ...watch });
    note("engine", tuner.info);
    const previous = job.files.previous?.bytes;
    const relations = await tuner.synthesize(queries, documents, { ...job.synthesize, previous, ...watch });
    note("relations", relations.summary());
    await output("scores.tsv", await relations.toScoresTsv());
    const judgements = qrels && { qrels, queries: testQueries };
    const run = await tuner.fit(relations, { ...job.fit, judgements, ...watch });
    await output("report.json", `${JSON.stringify(run.report, null, 2)}\n`);
    await output("artifact.zip", await run.saveArtifact(watch));
    return run.report;
  } finally {
    session.dispose();
  }
}

/** All inputs are read before a model is loaded, so that a wrong file is found at once. */
async function readInputs(session, files, note, watch) {
  const read = async (method, file) => {
    if (!file) return undefined;
    const texts = await session[method](file.bytes, { ...file.options, file: file.name, ...watch });
    note("reading", texts.reading);
    return texts;
  };
  const queries = await read("readQueries", files.queries);
  const documents = await read("readDocuments", files.documents);
  const testQueries = await read("readQueries", files.testQueries);
  const qrels = files.qrels && (await session.readJudgements(files.qrels.bytes, { file: files.qrels.name, ...watch }));
  if (qrels) note("judgements", { file: files.qrels.name, ...qrels.summary });
  return { queries, documents, testQueries, qrels };
}
