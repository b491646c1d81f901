/** The job: load, synthesize, fit; with its progress and what came out of it. */

import { batch, computed, signal } from "@preact/signals";
import {
  type EngineInfo,
  isAbort,
  type Progress,
  type RelationRow,
  type Relations,
  type Run,
  type StageProgress,
  type Tuner,
} from "querytune";
import { documents, qrels, queries, testQueries } from "./data.js";
import { fingerprint, note } from "./former.js";
import { generation, noteFailure, session } from "./session.js";
import { device, models } from "./settings.js";

export const candidates = signal(100);
export const depth = signal(20);

export type State = "idle" | "running" | "cancelling" | "cancelled" | "failed" | "done";
export const state = signal<State>("idle");
/** Whether a job holds the files, the models and the options, so that they must stay as they are. */
export const busy = computed(() => state.value === "running" || state.value === "cancelling");
export const error = signal<unknown>(undefined);
export const info = signal<EngineInfo | undefined>(undefined);

export type Stage = Progress["stage"];
export const STAGES: Stage[] = ["download", "load", "self-test", "encode", "search", "score", "tune", "evaluate"];

/** How far a stage is, bytes or items. */
export interface StageState {
  done: number;
  total: number;
  cached: number;
  perSecond: number;
  secondsLeft?: number | null;
  loss?: number | null;
  /** What is counted, where it is not the stage's usual thing. */
  unit?: string;
}
export const stages = signal<Partial<Record<Stage, StageState>>>({});
export const current = signal<Stage | undefined>(undefined);

export const ROWS_SHOWN = 20;
export interface Outcome {
  relations: Relations;
  rows: RelationRow[];
  run: Run;
}
export const outcome = signal<Outcome | undefined>(undefined);

let controller: AbortController | undefined;
let loaded: { tuner: Tuner; key: unknown[] } | undefined;

/** What the judging of other queries goes through once more. */
const WITHIN_EVALUATION: Partial<Record<Stage, string>> = { encode: "texts", score: "pairs" };

/** Receives progress; the two models' downloads are added up. */
function watch(onScore: (stage: StageState) => void): (progress: Progress) => void {
  const downloads = { encoder: [0, 0], crossEncoder: [0, 0] };
  const began = performance.now();
  return (progress) => {
    let next: StageState;
    let stage = progress.stage;
    if (stages.value.tune && WITHIN_EVALUATION[stage]) {
      next = { ...(progress as StageProgress), unit: WITHIN_EVALUATION[stage] };
      stage = "evaluate";
    } else if (progress.stage === "download") {
      downloads[progress.model] = [progress.loaded, progress.total];
      const [done = 0, total = 0] = [0, 1].map((i) => (downloads.encoder[i] ?? 0) + (downloads.crossEncoder[i] ?? 0));
      const perSecond = (1000 * done) / Math.max(1, performance.now() - began);
      next = { done, total, cached: 0, perSecond, secondsLeft: (total - done) / perSecond };
    } else {
      next = progress;
    }
    batch(() => {
      current.value = stage;
      stages.value = { ...stages.value, [stage]: next };
    });
    if (stage === "score") onScore(next);
  };
}

async function tuner(onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<Tuner> {
  const sources = models.value;
  if (!sources) throw new Error("Choose the folders of both models first.");
  const opened = await session();
  const key = [generation(), device.value, sources];
  if (loaded && key.every((part, i) => part === loaded?.key[i])) return loaded.tuner;
  loaded?.tuner.dispose();
  loaded = undefined;
  info.value = undefined;
  const made = await opened.load({ ...sources, device: device.value, onProgress, signal });
  loaded = { tuner: made, key };
  info.value = made.info;
  return made;
}

/** Runs the job; what an earlier one has scored is taken over by the engine. */
export async function start(): Promise<void> {
  if (busy.value) return;
  controller = new AbortController();
  const { signal } = controller;
  const replaced = outcome.value;
  batch(() => {
    state.value = "running";
    error.value = undefined;
    stages.value = {};
    current.value = undefined;
    outcome.value = undefined;
  });
  replaced?.run.dispose();
  replaced?.relations.dispose();
  let relations: Relations | undefined;
  let print = "";
  let scored = { scored: 0, total: 0 };
  try {
    const files = [queries.file.value, documents.file.value].filter((file) => file !== undefined);
    print = await fingerprint(files);
    let noted = 0;
    const onProgress = watch(({ done, total }) => {
      scored = { scored: done, total };
      if (performance.now() - noted < 1000 && done < total) return;
      noted = performance.now();
      note({ fingerprint: print, ...scored, finished: false });
    });
    const [log, corpus, judged, asked] = [
      await queries.current(),
      await documents.current(),
      await qrels.current(),
      await testQueries.current(),
    ];
    if (!log || !corpus) throw new Error("Choose the queries and the documents first.");
    const engine = await tuner(onProgress, signal);
    relations = await engine.synthesize(log.texts, corpus.texts, {
      candidates: candidates.value,
      depth: depth.value,
      onProgress,
      signal,
    });
    const run = await engine.fit(relations, {
      judgements: judged && { qrels: judged, queries: asked?.texts },
      onProgress,
      signal,
    });
    const rows = await relations.rows(0, Math.min(ROWS_SHOWN, relations.summary().rows));
    note({ fingerprint: print, ...scored, finished: true });
    batch(() => {
      outcome.value = { relations: relations as Relations, rows, run };
      state.value = "done";
    });
  } catch (thrown) {
    noteFailure(thrown);
    relations?.dispose();
    if (scored.total > 0) note({ fingerprint: print, ...scored, finished: scored.scored === scored.total });
    batch(() => {
      state.value = isAbort(thrown) ? "cancelled" : "failed";
      if (!isAbort(thrown)) error.value = thrown;
    });
  }
}

export function cancel(): void {
  if (state.value !== "running") return;
  state.value = "cancelling";
  controller?.abort();
}
