// One job through the npm package's public API. It runs as it is in the headless browser and in Node.

/** Reads, synthesizes, fits and hands out the results.
 *
 * @param open the package's `open`
 * @param job `{ session, models, device, dtype, threads, files, synthesize, fit }`; each file is `{ name, bytes, options }`
 * @param host `{ progress(event), note(kind, data), output(name, data), signal }`
 */
export async function runJob(open, job, { progress, note, output, signal }) {
  const session = await open({ ...job.session, onWarning: (message) => note("warning", message) });
  try {
    const watch = { onProgress: progress, signal };
    const { queries, documents, testQueries, qrels } = await readInputs(session, job.files, note, watch);
    const { models, device, dtype, threads } = job;
    const tuner = await session.load({ ...models, device, dtype, threads, ...watch });
    note("engine", tuner.info);
    const previous = job.files.previous?.bytes;
    const relations = await tuner.synthesize(queries, documents, { ...job.synthesize, previous, ...watch });
    note("relations", relations.summary());
    const judgements = qrels && { qrels, queries: testQueries };
    const run = await tuner.fit(relations, { ...job.fit, judgements, ...watch }).catch((error) => {
      // It was trained and not compared: that is no reason to lose it.
      if (!error.run) throw error;
      note("warning", `${error.message} The run is written without figures by judgements.`);
      return error.run;
    });
    await output("report.json", `${JSON.stringify(run.report, null, 2)}\n`);
    await output("artifact.zip", await run.saveArtifact(watch));
    return run.report;
  } finally {
    session.dispose();
  }
}

/** All inputs are read before a model is loaded, so that a wrong file is found at once. */
async function readInputs(session, files, note, watch) {
  const read = async (method, file, { isReported = true } = {}) => {
    if (!file) return undefined;
    const texts = await session[method](file.bytes, { ...file.options, file: file.name, ...watch });
    note("reading", { reading: texts.reading, isReported });
    return texts;
  };
  const queries = await read("readQueries", files.queries);
  const documents = await read("readDocuments", files.documents);
  // The report is about what the model was made of.
  const testQueries = await read("readQueries", files.testQueries, { isReported: false });
  if (!files.qrels) return { queries, documents, testQueries };
  const { bytes, name, options } = files.qrels;
  const qrels = await session.readJudgements(bytes, { ...options, file: name, ...watch });
  note("judgements", { file: name, used: qrels.reading.used, ...qrels.summary });
  await checkJudgements(qrels, { queries, documents, testQueries }, files);
  return { queries, documents, testQueries, qrels };
}

/** Refuses judgements that name nothing of what was read, as the engine would after the training. */
async function checkJudgements(qrels, { queries, documents, testQueries }, files) {
  const found = await qrels.coverage(testQueries ?? queries, documents);
  // The queries of an earlier run are not read yet: judgements may be of these.
  const isJoined = !testQueries && files.previous !== undefined;
  if (found.known > 0 || (isJoined && found.documents.known > 0)) return;
  const asked = ids("Queries", found.queries, (files.testQueries ?? files.queries).name);
  throw Object.assign(
    new Error(
      `None of the judgements is of a query and a document that were read. ${asked} ` +
        `${ids("Documents", found.documents, files.documents.name)} Choose the columns with these ids ` +
        `(--${testQueries ? "test-query" : "query"}-id-column, --id-column), or leave the judgements out. Where a file ` +
        "has no column with ids, they are the numbers of its rows.",
    ),
    { code: "input-qrels", position: { file: files.qrels.name, line: 0, column: 0 } },
  );
}

/** Some ids of either file, so that one sees how they differ. */
function ids(what, { ids, known, unknown, texts }, file) {
  if (known === ids) return `${what}: ${file} has all that the judgements name.`;
  const list = (some) => `${some.map((id) => `"${id}"`).join(", ")}, …`;
  return `${what}: the judgements name ${list(unknown)}; ${file} has ${list(texts)}${known > 0 ? " and some of those named" : ""}.`;
}
