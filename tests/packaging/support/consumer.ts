// What a stranger's TypeScript may do with the package, and what its types must refuse. Compiled, never run.
import {
  type EngineInfo,
  type ErrorCode,
  isAbort,
  type JudgingVerdict,
  load,
  loadArtifact,
  type ModelInfo,
  type ModelSource,
  open,
  type Progress,
  QuerytuneError,
  type Report,
  type Run,
  type SearchHit,
  type Session,
  type Store,
  type TunedModel,
  type Tuner,
} from "querytune";
import * as core from "querytune/core";

const sources: ModelSource[] = [
  "sentence-transformers/all-MiniLM-L6-v2",
  new URL("https://example.com/model/"),
  { hub: "owner/model", revision: "main", host: "https://hub.example.com" },
  { "config.json": new Uint8Array() },
];

export async function adapt(log: Blob, documents: readonly string[], signal: AbortSignal): Promise<Blob> {
  const onProgress = (progress: Progress): string =>
    progress.stage === "download" ? `${progress.loaded} of ${progress.total}` : `${progress.done}, ${progress.cached}`;
  const tuner: Tuner = await load({ encoder: sources[0], device: "auto", dtype: "int16", threads: 2, onProgress });
  const info: EngineInfo = tuner.info;
  const { data, dims } = await tuner.embed(["a text"], { signal });
  const numbers: Float32Array = data.subarray(0, dims[1]);
  const [best] = await tuner.rerank("a query", documents, { topK: 3, signal });
  const score: number | undefined = best?.score;
  const queries = await tuner.readQueries(log, { delimiter: "tab", textColumn: "query" });
  const relations = await tuner.synthesize(queries, documents, { candidates: 50, depth: 10, onProgress, signal });
  const run: Run = await tuner.fit(relations, { seed: 1, judgements: { qrels: log } });
  const report: Report = run.report;
  const delivered: "tuned" | "base" = report.fit.delivered;
  const { tuned } = await run.search("a query");
  console.log(info.device.kind, numbers, score, delivered, tuned[0]?.text);
  return run.saveArtifact({ signal });
}

export async function judge(run: Run, signal: AbortSignal): Promise<string> {
  const judging = await run.judging({ queries: 10, documents: 3, seed: 1, signal });
  for (const { query, text, documents } of judging.items) {
    for (const { document, title } of documents) await judging.answer(query, document, title === text ? 2 : null);
  }
  const verdict: JudgingVerdict = await judging.verdict();
  const conclusion: "better" | "no-difference-shown" | "worse" = verdict.tuned.conclusion;
  console.log(conclusion, verdict["ndcg@10"].crossEncoder, run.report.judging?.queries, await judging.answers());
  return judging.toQrels();
}

export async function searchAgain(zip: Blob, session: Session): Promise<TunedModel[]> {
  const model: TunedModel = await loadArtifact(zip, { device: "cpu", store: "memory", threads: 1 });
  const crossEncoder: ModelInfo | undefined = model.info.models.crossEncoder;
  const teacher: ModelInfo = model.report.models.crossEncoder;
  const index = await model.index(await model.readDocuments(zip, { textColumn: "text" }), { model: "base" });
  const [best] = await index.search("a query", { topK: 1 });
  const { dims } = await model.embedQueries(["a query"], { model: "trained" });
  const encoderAlone: Tuner = await session.load({ crossEncoder: false });
  console.log(crossEncoder, teacher.id, best?.score, dims[1], model.isTuned, encoderAlone.info.models.encoder.id);
  return [await session.loadArtifact(new Uint8Array()), await core.loadArtifact(zip)];
}

export async function searchAndRerank(items: { id: number; text: string }[], signal: AbortSignal): Promise<number[]> {
  const session: Session = await open({ host: "https://models.example.com", signal });
  const tuner = await session.load({ signal });
  const documents = await session.readDocuments(items, { signal });
  const found: SearchHit[] = await (await tuner.index(documents)).search("a query", { topK: 20, rerank: true, signal });
  return found.map(({ logit }) => logit ?? 0);
}

export function explain(error: unknown, signal?: AbortSignal): string {
  if (isAbort(error) || isAbort(error, signal)) return "cancelled";
  if (!(error instanceof QuerytuneError)) throw error;
  const code: ErrorCode = error.code;
  const run: Run | undefined = error.run;
  run?.dispose();
  return `${code}: ${error.message} (${error.position?.line ?? "nowhere"})`;
}

export async function inThisThread(store: Store): Promise<Session[]> {
  const memory: Store = new core.MemoryStore();
  return [await open({ store: "indexeddb" }), await core.open({ store }), await core.open({ store: memory })];
}

export async function refused(tuner: Tuner, run: Run): Promise<void> {
  // @ts-expect-error: no such device.
  await load({ device: "gpu" });
  // @ts-expect-error: there is no model but a named one, or none.
  await load({ crossEncoder: true });
  // @ts-expect-error: a download is its bytes, not its name.
  await loadArtifact("artifact.zip");
  // @ts-expect-error: a text alone is no list.
  await tuner.embed("a text");
  // @ts-expect-error: no relations.
  await tuner.fit({ seed: 1 });
  // @ts-expect-error: no such relevance.
  await (await run.judging()).answer(0, 0, 3);
  // @ts-expect-error: the report is not to be replaced.
  tuner.info = undefined;
}
