/** A download that is used again, in the thread of the engine. */

import type { ArtifactCall, ArtifactOptions, TunedModel } from "./artifact.js";
import type { Crew } from "./crew.js";
import { QuerytuneError } from "./errors.js";
import { checkTexts } from "./lists.js";
import { hashesOf } from "./models.js";
import { given } from "./options.js";
import { bytesOf, CoreIndex, type CoreSession, type CoreTexts, reachable, read } from "./session.js";
import type { Embeddings, EngineInfo, ReadCall, Report, Texts, TextsInput } from "./types.js";
import * as engine from "./wasm/querytune.js";

/** Loads a download's model. */
export async function loadArtifact(
  session: CoreSession,
  zip: Blob | Uint8Array,
  options: ArtifactOptions,
): Promise<CoreTunedModel> {
  const { device, dtype, threads, onProgress, signal } = options;
  signal?.throwIfAborted();
  const bytes = await read(bytesOf(zip));
  const unpacked = session.thread.short(() => engine.Unpacked.read(bytes));
  try {
    const encoder = session.thread.short(() => unpacked.encoder());
    encoder.sha256 = await hashesOf(encoder.files);
    const size = session.threads(threads, { encoder });
    const choice = given({ device: reachable(device), dtype, threads: size });
    const model = await session.thread.long({ onProgress, signal }, (host) =>
      engine.TunedModel.load(unpacked, encoder.sha256, choice, host),
    );
    return new CoreTunedModel(session, model, session.recruit({ encoder }, model.info(), size));
  } finally {
    session.thread.free(unpacked);
  }
}

export class CoreTunedModel implements TunedModel {
  readonly info: EngineInfo;
  readonly report: Report;
  readonly isTuned: boolean;
  readonly #session: CoreSession;
  /** Who helps on the CPU, if anybody. */
  readonly #crew: Crew | undefined;
  #engine: engine.TunedModel | undefined;

  constructor(session: CoreSession, model: engine.TunedModel, crew: Crew | undefined) {
    this.#session = session;
    this.#engine = model;
    this.#crew = crew;
    this.info = { ...model.info(), threads: crew?.threads ?? 1 };
    this.report = model.report();
    this.isTuned = model.isTuned;
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<CoreTexts> {
    return this.#session.readDocuments(documents, options);
  }

  embedQueries(texts: readonly string[], options: ArtifactCall = {}): Promise<Embeddings> {
    return this.#embed("embedQueries", texts, options);
  }

  embedDocuments(texts: readonly string[], options: ArtifactCall = {}): Promise<Embeddings> {
    return this.#embed("embedDocuments", texts, options);
  }

  index(documents: TextsInput | Texts, options: ArtifactCall = {}): Promise<CoreIndex> {
    const { onProgress, signal } = options;
    return this.#session.withTexts(documents, "documents", { onProgress, signal }, async (texts) => {
      const index = await this.#long(options, (model, choice, host) => model.index(texts, choice, host));
      return new CoreIndex(this.#session.thread, index);
    });
  }

  dispose(): void {
    this.#session.dismiss(this.#crew);
    if (this.#engine) this.#session.thread.free(this.#engine);
    this.#engine = undefined;
  }

  async #embed(
    side: "embedQueries" | "embedDocuments",
    texts: readonly string[],
    options: ArtifactCall,
  ): Promise<Embeddings> {
    const list = checkTexts(texts);
    return this.#long(options, (model, choice, host) => model[side](list, choice, host));
  }

  async #long<T>(
    { model: which, onProgress, signal }: ArtifactCall,
    work: (model: engine.TunedModel, choice: engine.ArtifactChoice, host: engine.Host) => Promise<T>,
  ): Promise<T> {
    const model = this.#engine;
    if (!model) throw new QuerytuneError("disposed", "This object was disposed of; make a new one.");
    const choice = given({ model: which });
    return this.#session.thread.long({ onProgress, signal }, (host) => work(model, choice, host), this.#crew);
  }
}
