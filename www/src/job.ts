/** The job: load, synthesize, fit, judge; and to judge again what could not be. */

import { batch, computed, effect, type Signal, signal } from "@preact/signals";
import { isAbort, QuerytuneError, type Relations } from "querytune";
import { chosen } from "./choice.js";
import { decisive, documents, previous, qrels, queries, reading, slots, testQueries } from "./data.js";
import { loadChosen } from "./engine.js";
import { circumstances } from "./former.js";
import {
  dropFiles,
  fingerprint,
  forget,
  formerJobs,
  type Job,
  jobs,
  keepFiles,
  newId,
  remember,
  restoreFiles,
} from "./jobs.js";
import { holdJob, lookElsewhere, releaseJob } from "./locks.js";
import { measureTuner, noteSpeed } from "./measurement.js";
import { lost, outcome, QUERIES_SHOWN, ROWS_SHOWN, release, taken, unsaved } from "./outcome.js";
import { current, stages, watch } from "./progress.js";
import { ended, noteFailure, renew } from "./session.js";
import { keeping, method, restore, scoring } from "./settings.js";
import { judge, judgeAgain, type Unjudged } from "./unjudged.js";

export type State =
  | "idle"
  | "measuring"
  | "comparing"
  | "running"
  | "pausing"
  | "paused"
  | "cancelling"
  | "cancelled"
  | "failed"
  | "done";
export const state = signal<State>("idle");
const BUSY: State[] = ["measuring", "comparing", "running", "pausing", "cancelling"];
/** Whether a job holds the files, the models and the options, so that they must stay as they are. */
export const busy = computed(() => BUSY.includes(state.value));
export const error = signal<unknown>(undefined);
/** What stopped a measurement. */
export const measureError = signal<unknown>(undefined);

// What a session that has failed held is gone with it.
effect(() => {
  const reason = ended.value?.reason;
  const gone = outcome.peek();
  if (!gone) return;
  batch(() => {
    outcome.value = undefined;
    lost.value = { of: gone.of, reason };
    if (state.peek() === "done") state.value = "idle";
  });
});

/** Set while a job waits for leave to take the place of such an outcome; `job`: one that is gone on with. */
export const asking = signal<{ job?: Job } | undefined>(undefined);

/** The number of the job that runs in this tab. */
export const running = signal<string | undefined>(undefined);
/** Whether there was no room for the files of the job. */
export const unkept = signal(false);

/** The job of the last run, and its files. */
let lastJob = "";
let worked: File[] = [];
// With other files there is nothing to be resumed.
effect(() => {
  const files = decisive.value;
  const others = files.length !== worked.length || files.some((file, i) => file !== worked[i]);
  if (state.peek() !== "paused" || !others) return;
  state.value = "idle";
  unkept.value = false;
});

let controller: AbortController | undefined;
/** What is there to be worked on. */
async function content() {
  const [log, corpus, judged, asked] = [
    await queries.current(),
    await documents.current(),
    await qrels.current(),
    await testQueries.current(),
  ];
  if (!log || !corpus) throw new Error("Choose the queries and the documents first.");
  const earlier = (await previous.current()) && previous.file.value;
  return { log: log.texts, corpus: corpus.texts, judged, asked: asked?.texts, earlier };
}

function begin(next: State): AbortSignal {
  controller = new AbortController();
  batch(() => {
    state.value = next;
    error.value = undefined;
    measureError.value = undefined;
    lost.value = undefined;
    asking.value = undefined;
    stages.value = {};
    current.value = undefined;
  });
  return controller.signal;
}

/** To be told of what stopped a job or a measurement, so that the next one works with what is opened anew. */
function noteStop(thrown: unknown, isLoaded: boolean): void {
  noteFailure(thrown, !isLoaded);
  if (!outcome.value) renew();
}

/** Loads the models and scores a few pairs of the chosen texts, to tell how long a job will take. */
export async function measure(): Promise<void> {
  if (busy.value || reading.value) return;
  const before = [state, error, stages, current].map((one) => [one, one.value] as [Signal<unknown>, unknown]);
  const signal = begin("measuring");
  let failure: unknown;
  let isLoaded = false;
  try {
    const { log, corpus } = await content();
    const watcher = watch();
    const { tuner: engine, bytes } = await loadChosen(watcher, signal, outcome.value?.engine);
    isLoaded = true;
    await measureTuner(engine, log, corpus, bytes, circumstances.value, signal);
  } catch (thrown) {
    noteStop(thrown, isLoaded);
    if (!isAbort(thrown)) failure = atItsField(thrown);
  }
  batch(() => {
    // All is as it was: what is shown of a job has nothing to do with this.
    for (const [one, value] of before) one.value = value;
    if (lost.value && state.value === "done") state.value = "idle";
    measureError.value = failure;
  });
}

/** The record of the job that is run: the one that is gone on with, one that was stopped on the same files, or a new one. */
async function account(going: Job | undefined): Promise<Job> {
  const { files, settings } = chosen.value;
  const print = await fingerprint(decisive.value);
  const stopped = formerJobs(print, settings).find((job) => job.state === "stopped");
  const found = going ?? stopped;
  // Another tab may have it: then this is a job of its own.
  const former = found && (await holdJob(found.id)) ? found : undefined;
  const id = former?.id ?? newId();
  if (!former) await holdJob(id);
  return {
    id,
    fingerprint: print,
    begun: Date.now(),
    state: "stopped",
    names: Object.fromEntries(Object.entries(files).map(([place, file]) => [place, file.name])),
    settings,
    scored: former?.scored ?? 0,
    total: former?.total ?? 0,
    dtype: former?.dtype,
    files: false,
  };
}

/** Notes in which numbers a job computes: what it has scored in others does not count here. */
function note(job: Job, dtype: Job["dtype"]): void {
  if (job.dtype && job.dtype !== dtype) Object.assign(job, { scored: 0, total: 0 });
  job.dtype = dtype;
}

/** Keeps the job's files where that is wanted, and sees to it that else there are none. */
async function keep(job: Job): Promise<void> {
  // Models from a folder cannot be had again without the person.
  if (!keeping.value || job.settings.origin === "folder") return dropFiles(job.id);
  job.files = await keepFiles(job.id, slots);
  if (job.files) await remember({ ...job });
  else unkept.value = true;
}

/** Runs the job; what an earlier one has scored is taken over by the engine. */
export async function start(going?: Job): Promise<void> {
  if (busy.value || reading.value) return;
  const signal = begin("running");
  unkept.value = false;
  const of = chosen.value;
  let relations: Relations | undefined;
  let job: Job | undefined;
  let isLoaded = false;
  try {
    job = await account(going);
    await keep(job);
    lastJob = job.id;
    running.value = job.id;
    worked = decisive.value;
    const record = job;
    let noted = Number.NEGATIVE_INFINITY;
    const watcher = watch(({ done, total }) => {
      record.scored = done;
      record.total = total;
      if (performance.now() - noted < 1000 && done < total) return;
      noted = performance.now();
      void remember({ ...record });
    });
    const { onProgress } = watcher;
    renew(release);
    const { log, corpus, judged, asked, earlier } = await content();
    const models = await loadChosen(watcher, signal, outcome.value?.engine);
    const { tuner: engine, bytes } = models;
    isLoaded = true;
    // Not before: what is shown stays where nothing can take its place.
    release();
    note(job, engine.info.device.dtype);
    const amount = scoring();
    relations = await engine.synthesize(log, corpus, { ...amount, previous: earlier, onProgress, signal });
    const run = await engine.fit(relations, { method: method.value, onProgress, signal });
    // Stopped by hand, too, this keeps what was trained.
    const unjudged = judged && (await judge(run, { qrels: judged, queries: asked }, { onProgress, signal }));
    noteFailure(unjudged?.error);
    const made = relations.summary();
    const rows = await relations.rows(0, Math.min(ROWS_SHOWN, made.rows));
    // The log's own are not all of them where it was joined to an earlier one.
    const items = await relations.queries(0, Math.min(QUERIES_SHOWN, made.queries));
    const adapter = await run.adapterFiles();
    noteSpeed(engine.info, run.report, bytes, { ...circumstances.value, files: job.fingerprint });
    await remember({ ...job, ended: Date.now(), state: "done", files: false, report: run.report, adapter });
    await dropFiles(job.id);
    const shown = { rows, queries: items.map((item) => item.text), retrieved: amount.candidates };
    const finished = { job: job.id, of, engine: models, relations, run, unjudged, ...shown };
    batch(() => {
      outcome.value = finished;
      taken.value = false;
      state.value = "done";
    });
  } catch (thrown) {
    noteStop(thrown, isLoaded);
    relations?.dispose();
    const paused = state.value === "pausing";
    if (job?.files && isAbort(thrown) && !paused) {
      await dropFiles(job.id);
      job.files = false;
    }
    if (job && (job.total > 0 || job.files)) await remember(job);
    else if (job) await forget(job.id);
    batch(() => {
      state.value = isAbort(thrown) ? (paused ? "paused" : "cancelled") : "failed";
      if (!isAbort(thrown)) error.value = atItsField(thrown);
    });
  } finally {
    running.value = undefined;
    // While it is paused they are still needed.
    if (state.value !== "paused") unkept.value = false;
    if (job) releaseJob(job.id);
  }
}

/** Holds a result against its judgements that could not be before; it stays whatever comes of that. */
export async function compareAgain(): Promise<void> {
  const made = outcome.value;
  if (busy.value || !made?.unjudged) return;
  controller = new AbortController();
  const { signal } = controller;
  const before = state.value;
  state.value = "comparing";
  let unjudged: Unjudged | undefined;
  try {
    unjudged = await judgeAgain(made.run, made.of, { onProgress: watch().onProgress, signal });
    noteFailure(unjudged?.error);
  } catch (thrown) {
    // It is gone with its session, which is said by itself.
    noteFailure(thrown);
  }
  const isThere = outcome.value !== undefined;
  batch(() => {
    state.value = isThere ? before : "idle";
    if (isThere) outcome.value = { ...made, unjudged };
  });
  if (isThere && !unjudged) await reportChanged();
}

/** What is wrong with the earlier download is said where it was chosen. */
function atItsField(thrown: unknown): unknown {
  if (!(thrown instanceof QuerytuneError) || thrown.code !== "artifact") return thrown;
  previous.refuse(thrown);
  return new Error("The earlier download cannot be gone on from. Its field, in Data, says why.", { cause: thrown });
}

/** To be told that the run's report is another: what shows it is drawn anew, and the job's account follows. */
export async function reportChanged(): Promise<void> {
  const made = outcome.value;
  if (!made) return;
  outcome.value = { ...made };
  const job = jobs.value?.find(({ id }) => id === made.job);
  if (job) await remember({ ...job, report: made.run.report });
}

/** Stops for now: what is scored is kept, and `start` goes on from there. */
export function pause(): void {
  if (state.value !== "running") return;
  state.value = "pausing";
  controller?.abort();
}

/** Stops for good; scores are kept all the same, files are not. */
export async function cancel(): Promise<void> {
  if (state.value === "running" || state.value === "measuring" || state.value === "comparing") {
    state.value = "cancelling";
    controller?.abort();
  } else if (state.value === "paused") {
    state.value = "cancelled";
    unkept.value = false;
    const job = jobs.value?.find((one) => one.id === lastJob && one.files);
    if (!job) return;
    await dropFiles(job.id);
    await remember({ ...job, files: false });
  }
}

/** Starts, or goes on with a job; asks first where that would lose a result. */
export async function ask(job?: Job): Promise<void> {
  if (unsaved.value) asking.value = { job };
  else await (job ? goOn(job) : start());
}

/** Notes that what was scored is gone: nothing can be resumed where it stopped. */
export function scoresDeleted(): void {
  if (state.value !== "done" && !busy.value) state.value = "idle";
}

/** Goes on with a job of an earlier visit, whose files were kept. */
export async function goOn(job: Job): Promise<void> {
  if (busy.value) return;
  if ((await lookElsewhere()).has(job.id)) throw new Error("This job is running in another tab of this page.");
  restore(job.settings);
  await restoreFiles(job, (place, file, options) => slots[place].choose(file, options));
  if (reading.value)
    throw new Error("Another file was chosen meanwhile and is still being read. Try again after that.");
  await start(job);
}
