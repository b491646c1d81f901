/** The chosen files and how they were read. */

import { batch, computed, type Signal, signal } from "@preact/signals";
import type { Judgements, Progress, ReadJudgementsOptions, ReadOptions, TextItem, Texts, Watch } from "querytune";
import { type EarlierRun, readEarlierRun } from "./earlier.js";
import { isEnglish } from "./language.js";
import { meanLength, sampled } from "./sample.js";
import { generation, noteFailure, session } from "./session.js";

/** Takes a file in; `watch` hears how far that is, and may stop it. */
type Read<T, Options> = (file: File, options: Options, watch: Watch) => Promise<T>;

/** A place for a file, and what became of it. */
export class Slot<T extends { dispose(): void }, Options extends object = ReadOptions> {
  readonly file: Signal<File | undefined> = signal(undefined);
  readonly options: Signal<Partial<Options>> = signal({});
  readonly content: Signal<T | undefined> = signal(undefined);
  readonly error: Signal<unknown> = signal(undefined);
  readonly busy = signal(false);
  /** How much of the file is read, from 0 to 1. */
  readonly share = signal(0);
  readonly #read: Read<T, Partial<Options>>;
  #turn = 0;
  #generation = 0;
  #reading = new AbortController();

  constructor(read: Read<T, Partial<Options>>) {
    this.#read = read;
  }

  /** Reads a newly chosen file; none clears the place. What was read of the file before is given up at once. */
  async choose(file: File | undefined, options: Partial<Options> = {}): Promise<void> {
    const before = this.content.peek();
    batch(() => {
      this.content.value = undefined;
      this.file.value = file;
      this.options.value = options;
      this.busy.value = file !== undefined;
    });
    before?.dispose();
    await this.#again();
  }

  /** Reads the file again in another way; until then there is what was read of it before. */
  async change(options: Partial<Options>): Promise<void> {
    this.options.value = options;
    await this.#again();
  }

  /** The content, read again if the session it was read in has failed. */
  async current(): Promise<T | undefined> {
    await session();
    if (this.file.value && (!this.content.value || this.#generation !== generation())) await this.#again();
    if (this.error.value) throw this.error.value;
    return this.content.value;
  }

  /** Notes that what was read cannot be used; it is read again when it is next asked for. */
  refuse(error: unknown): void {
    this.#turn += 1;
    this.content.value?.dispose();
    this.content.value = undefined;
    this.busy.value = false;
    this.error.value = error;
  }

  async #again(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    // Nobody waits for the file before any more.
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const onProgress = (progress: Progress) => {
      if (progress.stage === "read" && !signal.aborted) this.share.value = progress.done / Math.max(1, progress.total);
    };
    const file = this.file.value;
    this.busy.value = file !== undefined;
    this.share.value = 0;
    this.error.value = undefined;
    let content: T | undefined;
    try {
      content = file && (await this.#read(file, this.options.value, { signal, onProgress }));
    } catch (error) {
      if (!signal.aborted) noteFailure(error);
      if (turn === this.#turn) this.error.value = error;
    }
    if (turn !== this.#turn) {
      content?.dispose();
      return;
    }
    this.content.value?.dispose();
    this.content.value = content;
    this.#generation = generation();
    this.busy.value = false;
  }
}

/** Texts with the first few of them. */
export interface Previewed {
  texts: Texts;
  first: TextItem[];
  /** Characters of a text that are read, on average. */
  length: number;
  /** Whether they look like English; undefined where there is too little to tell. */
  isEnglish: boolean | undefined;
  dispose(): void;
}

const PREVIEW = 5;

async function previewed(texts: Texts): Promise<Previewed> {
  const first = await texts.items(0, Math.min(PREVIEW, texts.length));
  const some = await sampled(texts);
  return { texts, first, length: meanLength(some), isEnglish: isEnglish(some), dispose: () => texts.dispose() };
}

const readQueries: Read<Previewed, ReadOptions> = async (file, options, watch) =>
  previewed(await (await session()).readQueries(file, { ...options, ...watch }));

export const queries = new Slot(readQueries);
export const testQueries = new Slot(readQueries);
export const documents = new Slot<Previewed>(async (file, options, watch) =>
  previewed(await (await session()).readDocuments(file, { ...options, ...watch })),
);
export const qrels = new Slot<Judgements, ReadJudgementsOptions>(async (file, options, watch) =>
  (await session()).readJudgements(file, { ...options, ...watch }),
);
/** The download of an earlier run, which the job goes on from. */
export const previous = new Slot<EarlierRun>(readEarlierRun);

/** Everything a job may be given, by what it is. */
export const slots = { queries, documents, qrels, testQueries, previous };
export type Slots = typeof slots;
export type Place = keyof Slots;
export const PLACES = Object.keys(slots) as Place[];

/** The files that decide which pairs there are: a job on the same ones goes on with what was scored. */
export const decisive = computed(() => {
  const [log, corpus] = [queries.file.value, documents.file.value];
  return log && corpus ? [log, corpus, previous.file.value].filter((file) => file !== undefined) : [];
});

/** Whether there is all that a job needs. */
export const complete = computed(() => Boolean(queries.content.value && documents.content.value));

/** Whether the sample is on its way. */
const fetching = signal(false);
/** Whether a file is still being read, or fetched: until then what is there is not that of what is chosen. */
export const reading = computed(() => fetching.value || PLACES.some((place) => slots[place].busy.value));

export const sampleError = signal<unknown>(undefined);

/** A file of the sample: from the server, or, when the connection is closed, as it was kept for use offline. */
async function sampleFile(name: string): Promise<File> {
  const address = new URL(`sample/${name}`, document.baseURI);
  let response: Response | undefined;
  try {
    response = await fetch(address);
  } catch (error) {
    response = await globalThis.caches?.match(address);
    if (!response) throw new Error(`sample/${name} could not be fetched (${String(error)}). Choose files of your own.`);
  }
  if (!response.ok || response.headers.get("content-type")?.includes("text/html")) {
    throw new Error(`This server has no sample/${name}. Choose files of your own.`);
  }
  return new File([await response.blob()], name);
}

/** Takes the sample that is served beside the page. */
export async function useSample(): Promise<void> {
  sampleError.value = undefined;
  fetching.value = true;
  try {
    const [log, corpus, judged] = await Promise.all(["queries.csv", "documents.csv", "qrels.tsv"].map(sampleFile));
    await Promise.all([
      queries.choose(log),
      documents.choose(corpus),
      qrels.choose(judged),
      testQueries.choose(undefined),
      previous.choose(undefined),
    ]);
  } catch (error) {
    sampleError.value = error;
  } finally {
    fetching.value = false;
  }
}
