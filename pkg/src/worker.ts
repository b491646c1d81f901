/** The worker's side: keeps the engine's objects under numbers and does what the main thread asks. */

import * as Comlink from "comlink";
import { artifactService } from "./artifact-service.js";
import type { CoreTunedModel } from "./core-artifact.js";
import { CoreIndex } from "./core-index.js";
import { CoreJudgements } from "./core-judgements.js";
import type { CoreJudging } from "./core-judging.js";
import { CoreRelations } from "./core-relations.js";
import { CoreRun } from "./core-run.js";
import { CoreSession } from "./core-session.js";
import { CoreTexts } from "./core-texts.js";
import { CoreTuner } from "./core-tuner.js";
import { type Recruiting, usualThreads, webHelper } from "./crew.js";
import { carryErrors, type Id, type Notice, type RemoteJudgements, type RemoteTexts } from "./crossing.js";
import { QuerytuneError, toData } from "./errors.js";
import { judgingService } from "./judging-service.js";
import { Calls, member } from "./member.js";
import type { MemberService, Service } from "./service.js";
import type { JudgementsInput, Texts, TextsInput, Watch } from "./types.js";

type Kept = CoreIndex | CoreJudgements | CoreJudging | CoreRelations | CoreRun | CoreTexts | CoreTunedModel | CoreTuner;

let session: CoreSession | undefined;
let lastId = 0;
const kept = new Map<Id, Kept>();
const calls = new Calls();

function tell(notice: Notice): void {
  self.postMessage(notice);
}

function engine(): CoreSession {
  if (!session) throw new QuerytuneError("internal", "The worker was used before it was opened.");
  return session;
}

function keep(object: Kept): Id {
  lastId += 1;
  kept.set(lastId, object);
  return lastId;
}

function get<T extends Kept>(id: Id, kind: new (...args: never[]) => T): T {
  const object = kept.get(id);
  if (object instanceof kind) return object;
  throw new QuerytuneError("disposed", "This object was disposed of; make a new one.");
}

/** Runs a long call that the main thread watches under a number. */
function watched<T>(call: number, work: (watch: Watch) => Promise<T>): Promise<T> {
  return calls.run(call, (signal) =>
    work({ signal, onProgress: (progress) => tell({ notice: "progress", call, progress }) }),
  );
}

function texts(of: RemoteTexts): TextsInput | Texts {
  return "id" in of ? get(of.id, CoreTexts) : of.input;
}

function judgements(of: RemoteJudgements): JudgementsInput {
  return {
    qrels: "id" in of.qrels ? get(of.qrels.id, CoreJudgements) : of.qrels.input,
    queries: of.queries && texts(of.queries),
  };
}

/** What this script is run as: some bundlers make a classic script of it. */
function scriptType(): WorkerType {
  try {
    // An address that is none, so that nothing is loaded: a classic script is refused because of that (SyntaxError),
    // a module in any case (TypeError). Without an address Firefox refuses neither.
    (self as unknown as { importScripts(url: string): void }).importScripts("http://[");
  } catch (error) {
    return error instanceof TypeError ? "module" : "classic";
  }
  return "classic";
}

/** A page shares the machine with others, and a tab with too much memory is ended. */
const MOST_THREADS = 8;

/**
 * Another worker with this very script. By its address, not `import.meta.url`: bundlers would try to bundle a worker
 * into itself.
 */
const recruiting: Recruiting | undefined =
  typeof Worker === "undefined"
    ? undefined
    : {
        spawn: () => webHelper(new Worker(self.location.href, { type: scriptType(), name: "querytune-crew" })),
        usualThreads: (bytes) =>
          usualThreads(
            bytes,
            navigator.hardwareConcurrency,
            (navigator as { deviceMemory?: number }).deviceMemory,
            MOST_THREADS,
          ),
      };

const service: Service & MemberService = {
  ...member(calls, (opened) => {
    session = opened;
  }),
  ...judgingService({ keep, get, watched }),
  ...artifactService({ engine, keep, get, texts, watched }),
  async open(opening, store) {
    const onWarning = (message: string) => tell({ notice: "warning", message });
    session = await CoreSession.open({ wasm: opening.wasm, store: store ?? opening.store, onWarning }, recruiting);
  },
  dispose(id) {
    kept.get(id)?.dispose();
    kept.delete(id);
  },
  readTexts: (call, role, input, options) =>
    watched(call, async (watch) => {
      const choices = { ...options, ...watch };
      const read =
        role === "queries" ? await engine().readQueries(input, choices) : await engine().readDocuments(input, choices);
      return { id: keep(read), reading: read.reading, length: read.length };
    }),
  readJudgements: (call, qrels, options) =>
    watched(call, async (watch) => {
      const read = await engine().readJudgements(qrels, { ...options, ...watch });
      return { id: keep(read), reading: read.reading, summary: read.summary };
    }),
  coverage: (id, queries, documents) =>
    get(id, CoreJudgements).coverage(get(queries, CoreTexts), get(documents, CoreTexts)),
  items: (id, from, count) => get(id, CoreTexts).items(from, count),
  load: (call, models, choice) =>
    watched(call, async (watch) => {
      const tuner = await engine().loadFiles(models, choice, watch);
      return { id: keep(tuner), info: tuner.info };
    }),
  embed: (call, tuner, list, kind) =>
    watched(call, async (watch) => {
      const vectors = await get(tuner, CoreTuner).embed(list, { kind, ...watch });
      return Comlink.transfer(vectors, [vectors.data.buffer]);
    }),
  score: (call, tuner, pairs) =>
    watched(call, async (watch) => {
      const logits = await get(tuner, CoreTuner).score(pairs, watch);
      return Comlink.transfer(logits, [logits.buffer]);
    }),
  rerank: (call, tuner, query, documents, topK) =>
    watched(call, (watch) => get(tuner, CoreTuner).rerank(query, documents, { ...watch, topK })),
  synthesize: (call, tuner, queries, documents, options) =>
    watched(call, async (watch) => {
      const relations = await get(tuner, CoreTuner).synthesize(texts(queries), texts(documents), {
        ...options,
        ...watch,
      });
      return { id: keep(relations), summary: relations.summary() };
    }),
  rows: (id, from, count) => get(id, CoreRelations).rows(from, count),
  queries: (id, from, count) => get(id, CoreRelations).queries(from, count),
  candidates: (id, query) => get(id, CoreRelations).candidates(query),
  export: (id, format) => get(id, CoreRelations)[format](),
  fit: (call, tuner, relations, options, judged) =>
    watched(call, async (watch) => {
      const given = { ...options, ...watch, judgements: judged && judgements(judged) };
      try {
        const run = await get(tuner, CoreTuner).fit(get(relations, CoreRelations), given);
        return { id: keep(run), report: run.report };
      } catch (error) {
        const run = error instanceof QuerytuneError ? error.run : undefined;
        if (!(run instanceof CoreRun)) throw error;
        return { id: keep(run), report: run.report, unjudged: toData(error) };
      }
    }),
  evaluate: (call, run, judged) => watched(call, (watch) => get(run, CoreRun).evaluate(judgements(judged), watch)),
  search: (call, run, query, topK) => watched(call, (watch) => get(run, CoreRun).search(query, { ...watch, topK })),
  artifact: (call, run) =>
    watched(call, async (watch) => {
      const zip = await get(run, CoreRun).artifactBytes(watch);
      return Comlink.transfer(zip, [zip.buffer]);
    }),
  adapter: (run) => get(run, CoreRun).adapter(),
  adapterFiles: (run) => get(run, CoreRun).adapterFiles(),
  perQueryCsv: (run, kind) => get(run, CoreRun).perQueryCsv(kind),
  index: (call, of, documents) =>
    watched(call, async (watch) => {
      const owner = kept.get(of);
      const index =
        owner instanceof CoreRun
          ? await owner.index(texts(documents), watch)
          : await get(of, CoreTuner).index(texts(documents), watch);
      return { id: keep(index), length: index.length };
    }),
  searchIndex: (call, id, query, topK, rerank) =>
    watched(call, (watch) => get(id, CoreIndex).search(query, { ...watch, topK, rerank })),
};

// A panic of the engine ends as a trap in nobody's promise. Its message went to the console just before; with it
// all pending calls are rejected.
let panic = "";
const report = console.error;
console.error = (...values: unknown[]) => {
  const text = String(values[0]);
  if (text.includes("panicked at")) panic = text.split("\n\nStack")[0] ?? text;
  report(...values);
};
function die(cause: unknown): void {
  session?.thread.queue.kill(
    new QuerytuneError(
      "internal",
      `The engine stopped: ${panic || String(cause)}. Start again in a new session; what was scored is kept.`,
      { cause, endsSession: true },
    ),
  );
}
self.addEventListener("error", (event) => {
  // Else the main thread would hear of it as well, without the panic's message.
  event.preventDefault();
  die(event.error ?? event.message);
});
self.addEventListener("unhandledrejection", (event) => die(event.reason));

carryErrors();
Comlink.expose(service);
