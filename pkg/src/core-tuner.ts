/** Two models on a device, held by the engine. */

import { CoreIndex, type Score } from "./core-index.js";
import type { CoreJudgements } from "./core-judgements.js";
import type { CoreReader } from "./core-reader.js";
import { CoreRelations } from "./core-relations.js";
import { CoreRun, type RunTuner } from "./core-run.js";
import type { CoreTexts } from "./core-texts.js";
import { type Crew, helped } from "./crew.js";
import type { Crews } from "./crews.js";
import { QuerytuneError } from "./errors.js";
import { checkPairs, checkText, checkTexts, checkTopK } from "./lists.js";
import type { ModelFiles } from "./models.js";
import { synthesizeOptions, trainingOptions } from "./options.js";
import { bytesOf, read } from "./source.js";
import { Handle } from "./thread.js";
import type {
  Embeddings,
  EmbedOptions,
  EngineInfo,
  FitOptions,
  JudgementsCall,
  Pair,
  ReadCall,
  Relations,
  Reranked,
  RerankOptions,
  Run,
  SynthesizeOptions,
  Texts,
  TextsInput,
  Tuner,
  Watch,
} from "./types.js";
import type * as engine from "./wasm/querytune.js";

export class CoreTuner extends Handle<engine.Tuner> implements Tuner, RunTuner {
  readonly info: EngineInfo;
  readonly reader: CoreReader;
  /** Kept for the artifact, which holds the base model. */
  readonly encoder: ModelFiles;
  /** Who helps on the CPU, if anybody. */
  readonly crew: Crew | undefined;
  readonly #crews: Crews;

  constructor(reader: CoreReader, crews: Crews, tuner: engine.Tuner, encoder: ModelFiles, crew: Crew | undefined) {
    super(reader.thread, tuner);
    this.reader = reader;
    this.#crews = crews;
    this.crew = crew;
    this.info = { ...tuner.info(), threads: crew?.threads ?? 1 };
    this.encoder = encoder;
  }

  readQueries(queries: TextsInput, options?: ReadCall): Promise<CoreTexts> {
    return this.reader.readQueries(queries, options);
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<CoreTexts> {
    return this.reader.readDocuments(documents, options);
  }

  readJudgements(qrels: Blob | Uint8Array, options?: JudgementsCall): Promise<CoreJudgements> {
    return this.reader.readJudgements(qrels, options);
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Embeddings> {
    const tuner = this.engine;
    const list = checkTexts(texts);
    const { kind = "document" } = options;
    return this.thread.long(options, (host) => tuner.embed(list, kind, host), this.crew);
  }

  /** What a crew's member does. */
  work(work: engine.Work, texts: readonly string[], watch: Watch): Promise<Float32Array> {
    const tuner = this.engine;
    return this.thread.long(watch, (host) => tuner.work(work, texts, host));
  }

  async score(pairs: readonly Pair[], watch: Watch = {}): Promise<Float32Array> {
    const tuner = this.engine;
    const list = checkPairs(pairs).flat();
    return this.thread.long(watch, (host) => tuner.score(list, host), this.crew);
  }

  async rerank(query: string, documents: readonly string[], options: RerankOptions = {}): Promise<Reranked[]> {
    const text = checkText(query, "query");
    const topK = checkTopK(options.topK);
    const pairs = checkTexts(documents, "documents").map((document): Pair => [text, document]);
    const logits = await this.score(pairs, options);
    return Array.from(logits, (logit, index) => ({ index, logit, score: 1 / (1 + Math.exp(-logit)) }))
      .sort((a, b) => b.logit - a.logit)
      .slice(0, topK);
  }

  async synthesize(
    queries: TextsInput | Texts,
    documents: TextsInput | Texts,
    options: SynthesizeOptions = {},
  ): Promise<CoreRelations> {
    const { onProgress, signal, previous, ...choices } = options;
    const tuner = this.engine;
    const chosen = synthesizeOptions(choices);
    const earlier = previous && (await read(bytesOf(previous)));
    const watch = { onProgress, signal };
    return this.reader.withTexts(queries, "queries", watch, (log) =>
      this.reader.withTexts(documents, "documents", watch, async (corpus) => {
        const relations = await this.thread.long(
          watch,
          (host) => tuner.synthesize(log, corpus, chosen, earlier, host),
          this.crew,
        );
        return new CoreRelations(this.thread, relations);
      }),
    );
  }

  async fit(relations: Relations, options: FitOptions = {}): Promise<CoreRun> {
    if (!(relations instanceof CoreRelations)) {
      throw new QuerytuneError("option", "The relations are not of this session; synthesize them here.");
    }
    const { onProgress, signal, judgements, ...choices } = options;
    const [tuner, data, chosen] = [this.engine, relations.engine, trainingOptions(choices)];
    const files = choices.method === "lora" || relations.needsEncoder ? this.encoder : undefined;
    const watch = { onProgress, signal };
    const train = async () => {
      const helpers = choices.method === "lora" ? this.crew : undefined;
      const fit = await this.thread.long(
        watch,
        (host) => helped(helpers, this.encoder, () => tuner.fit(data, chosen, files, host)),
        this.crew,
      );
      return new CoreRun(this, fit, files);
    };
    if (!judgements) return train();
    // Read before the training, which a bad file would have been for nothing otherwise.
    return this.reader.withJudgements(judgements, watch, async (qrels, queries) => {
      const run = await train();
      try {
        await run.judge(qrels, queries, watch);
      } catch (error) {
        throw unjudged(error, run);
      }
      return run;
    });
  }

  index(documents: TextsInput | Texts, watch: Watch = {}, fit?: engine.Fit): Promise<CoreIndex> {
    const tuner = this.engine;
    return this.reader.withTexts(documents, "documents", watch, async (texts) => {
      const index = await this.thread.long(
        watch,
        (host) => (fit ? tuner.indexTuned(texts, fit, host) : tuner.index(texts, host)),
        this.crew,
      );
      const score: Score = (pairs, watch) => this.score(pairs, watch);
      return new CoreIndex(this.thread, index, this.info.models.crossEncoder && score);
    });
  }

  override dispose(): void {
    this.#crews.dismiss(this.crew);
    super.dispose();
  }
}

/** The error of a run whose training went well and whose judging did not: the run is handed out with it, unless aborted. */
function unjudged(error: unknown, run: Run): unknown {
  if (error instanceof QuerytuneError) error.run = run;
  else run.dispose();
  return error;
}
