/** A trained adapter, held by the engine. */

import type { CoreIndex } from "./core-index.js";
import { CoreJudging } from "./core-judging.js";
import type { CoreReader } from "./core-reader.js";
import { type Crew, helped } from "./crew.js";
import { checkText, checkTopK } from "./lists.js";
import type { ModelFiles } from "./models.js";
import { judgingOptions } from "./options.js";
import { Handle, type Thread } from "./thread.js";
import type {
  AdapterFile,
  JudgementsInput,
  JudgingOptions,
  PerQueryKind,
  Report,
  Run,
  SearchHit,
  SearchOptions,
  Texts,
  TextsInput,
  Watch,
} from "./types.js";
import type * as engine from "./wasm/querytune.js";

/** The tuner that a run was trained by, as far as it is needed. */
export interface RunTuner {
  readonly thread: Thread;
  readonly engine: engine.Tuner;
  readonly reader: CoreReader;
  /** Kept for the artifact, which holds the base model. */
  readonly encoder: ModelFiles;
  readonly crew: Crew | undefined;
  index(documents: TextsInput | Texts, watch: Watch, fit: engine.Fit): Promise<CoreIndex>;
}

export class CoreRun extends Handle<engine.Fit> implements Run {
  readonly #tuner: RunTuner;
  /** The encoder's files, where the run goes through its layers. */
  readonly #encoder: ModelFiles | undefined;
  #report: Report;

  constructor(tuner: RunTuner, fit: engine.Fit, encoder: ModelFiles | undefined) {
    super(tuner.thread, fit);
    this.#tuner = tuner;
    this.#encoder = encoder;
    this.#report = fit.report();
  }

  get report(): Report {
    return this.#report;
  }

  async search(query: string, options: SearchOptions = {}): Promise<{ base: SearchHit[]; tuned: SearchHit[] }> {
    const [tuner, fit] = [this.#tuner.engine, this.engine];
    const text = checkText(query, "query");
    const topK = checkTopK(options.topK) ?? 10;
    return this.thread.long(options, (host) => tuner.search(fit, text, topK, host));
  }

  async evaluate(judgements: JudgementsInput, watch: Watch = {}): Promise<Report> {
    return this.#tuner.reader.withJudgements(judgements, watch, (qrels, queries) => this.judge(qrels, queries, watch));
  }

  /** The same with what is read already; of the log's own queries if none are given. */
  async judge(qrels: engine.Qrels, queries: engine.Texts | undefined, watch: Watch): Promise<Report> {
    const [tuner, fit] = [this.#tuner.engine, this.engine];
    const files = this.#encoder;
    const { crew, encoder } = this.#tuner;
    // With judgements of the log's own queries it is trained once more, for new documents.
    const helpers = this.#report.fit.method === "lora" && !queries ? crew : undefined;
    await this.thread.long(
      watch,
      (host) =>
        helped(helpers, encoder, () =>
          queries ? tuner.evaluateOn(fit, qrels, queries, files, host) : tuner.evaluate(fit, qrels, files, host),
        ),
      crew,
    );
    this.#report = this.thread.short(() => fit.report());
    return this.#report;
  }

  async saveArtifact(watch: Watch = {}): Promise<Blob> {
    const zip = await this.artifactBytes(watch);
    return new Blob([zip as Uint8Array<ArrayBuffer>], { type: "application/zip" });
  }

  artifactBytes(watch: Watch): Promise<Uint8Array> {
    const fit = this.engine;
    return this.thread.long(watch, (host) => fit.artifact(this.#tuner.encoder, host));
  }

  async adapter(): Promise<Uint8Array> {
    return this.thread.short(() => this.engine.adapter());
  }

  async adapterFiles(): Promise<AdapterFile[]> {
    return this.thread.short(() => this.engine.adapterFiles());
  }

  async perQueryCsv(kind: PerQueryKind): Promise<string> {
    return this.thread.short(() => this.engine.perQueryCsv(kind));
  }

  async judging(options: JudgingOptions = {}): Promise<CoreJudging> {
    const { onProgress, signal, ...choices } = options;
    const fit = this.engine;
    const chosen = judgingOptions(choices);
    const judging = await this.thread.long(
      { onProgress, signal },
      (host) => fit.judging(chosen, host),
      this.#tuner.crew,
    );
    return new CoreJudging(this.thread, judging, (report) => {
      this.#report = report;
    });
  }

  async index(documents: TextsInput | Texts, watch: Watch = {}): Promise<CoreIndex> {
    return this.#tuner.index(documents, watch, this.engine);
  }
}
