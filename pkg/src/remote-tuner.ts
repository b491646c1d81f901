/** Two models on a device, kept by the worker. */

import type { Id } from "./crossing.js";
import { fromData, QuerytuneError } from "./errors.js";
import { Handle } from "./link.js";
import { checkPairs, checkText, checkTexts, checkTopK } from "./lists.js";
import { index } from "./remote-index.js";
import { remoteJudgements } from "./remote-judgements.js";
import type { RemoteReader } from "./remote-reader.js";
import { RemoteRelations } from "./remote-relations.js";
import { RemoteRun } from "./remote-run.js";
import { remoteTexts } from "./remote-texts.js";
import type {
  Embeddings,
  EmbedOptions,
  EngineInfo,
  FitOptions,
  Index,
  Judgements,
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

export class RemoteTuner extends Handle implements Tuner {
  readonly info: EngineInfo;
  readonly #reader: RemoteReader;
  readonly #end: () => void;

  /** `end` ends the worker where the tuner takes it with it; else what the worker keeps of the tuner is freed. */
  constructor(reader: RemoteReader, made: { id: Id; info: EngineInfo }, end?: () => void) {
    super(reader.link, made.id);
    this.#reader = reader;
    this.#end = end ?? (() => super.dispose());
    this.info = made.info;
  }

  readQueries(queries: TextsInput, options?: ReadCall): Promise<Texts> {
    return this.#reader.readQueries(queries, options);
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<Texts> {
    return this.#reader.readDocuments(documents, options);
  }

  readJudgements(qrels: Blob | Uint8Array, options?: JudgementsCall): Promise<Judgements> {
    return this.#reader.readJudgements(qrels, options);
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Embeddings> {
    const list = checkTexts(texts);
    return this.link.long(options, (call) => this.link.service.embed(call, this.id, list, options.kind));
  }

  async score(pairs: readonly Pair[], watch: Watch = {}): Promise<Float32Array> {
    const list = checkPairs(pairs);
    return this.link.long(watch, (call) => this.link.service.score(call, this.id, list));
  }

  async rerank(query: string, documents: readonly string[], options: RerankOptions = {}): Promise<Reranked[]> {
    const [text, list] = [checkText(query, "query"), checkTexts(documents, "documents")];
    const topK = checkTopK(options.topK);
    return this.link.long(options, (call) => this.link.service.rerank(call, this.id, text, list, topK));
  }

  async synthesize(
    queries: TextsInput | Texts,
    documents: TextsInput | Texts,
    options: SynthesizeOptions = {},
  ): Promise<Relations> {
    const { onProgress, signal, ...choices } = options;
    const log = remoteTexts(this.link, queries, "queries");
    const corpus = remoteTexts(this.link, documents, "documents");
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.synthesize(call, this.id, log, corpus, choices),
    );
    return new RemoteRelations(this.link, made);
  }

  async fit(relations: Relations, options: FitOptions = {}): Promise<Run> {
    if (!(relations instanceof RemoteRelations) || relations.link !== this.link) {
      throw new QuerytuneError("option", "The relations are not of this session; synthesize them here.");
    }
    const { onProgress, signal, judgements, ...choices } = options;
    const judged = judgements && remoteJudgements(this.link, judgements);
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.fit(call, this.id, relations.id, choices, judged),
    );
    const run = new RemoteRun(this.link, made);
    if (!made.unjudged) return run;
    const error = fromData(made.unjudged);
    if (error instanceof QuerytuneError) error.run = run;
    throw error;
  }

  index(documents: TextsInput | Texts, watch: Watch = {}): Promise<Index> {
    return index(this, documents, watch);
  }

  override dispose(): void {
    this.#end();
  }
}
