/** A download that is used again, in the thread of the engine. */

import { CoreIndex } from "./core-index.js";
import type { CoreReader } from "./core-reader.js";
import type { CoreTexts } from "./core-texts.js";
import type { Crew } from "./crew.js";
import type { Crews } from "./crews.js";
import { checkTexts } from "./lists.js";
import { hashesOf } from "./models.js";
import { given } from "./options.js";
import { bytesOf, read } from "./source.js";
import { reachable } from "./start.js";
import { Handle } from "./thread.js";
import type {
  ArtifactCall,
  ArtifactOptions,
  Embeddings,
  EngineInfo,
  ReadCall,
  Report,
  Texts,
  TextsInput,
  TunedModel,
} from "./types.js";
import * as engine from "./wasm/querytune.js";

/** Loads a download's model. */
export async function loadArtifact(
  reader: CoreReader,
  crews: Crews,
  zip: Blob | Uint8Array,
  options: ArtifactOptions,
): Promise<CoreTunedModel> {
  const { device, dtype, threads, onProgress, signal } = options;
  signal?.throwIfAborted();
  const { thread } = reader;
  const bytes = await read(bytesOf(zip));
  const unpacked = thread.short(() => engine.Unpacked.read(bytes));
  try {
    const encoder = thread.short(() => unpacked.encoder());
    encoder.sha256 = await hashesOf(encoder.files);
    const size = crews.threads(threads, { encoder });
    const choice = given({ device: reachable(device), dtype, threads: size });
    const model = await thread.long({ onProgress, signal }, (host) =>
      engine.TunedModel.load(unpacked, encoder.sha256, choice, host),
    );
    return new CoreTunedModel(reader, crews, model, crews.recruit({ encoder }, model.info(), size));
  } finally {
    thread.free(unpacked);
  }
}

export class CoreTunedModel extends Handle<engine.TunedModel> implements TunedModel {
  readonly info: EngineInfo;
  readonly report: Report;
  readonly isTuned: boolean;
  readonly #reader: CoreReader;
  readonly #crews: Crews;
  /** Who helps on the CPU, if anybody. */
  readonly #crew: Crew | undefined;

  constructor(reader: CoreReader, crews: Crews, model: engine.TunedModel, crew: Crew | undefined) {
    super(reader.thread, model);
    this.#reader = reader;
    this.#crews = crews;
    this.#crew = crew;
    this.info = { ...model.info(), threads: crew?.threads ?? 1 };
    this.report = model.report();
    this.isTuned = model.isTuned;
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<CoreTexts> {
    return this.#reader.readDocuments(documents, options);
  }

  embedQueries(texts: readonly string[], options: ArtifactCall = {}): Promise<Embeddings> {
    return this.#embed("embedQueries", texts, options);
  }

  embedDocuments(texts: readonly string[], options: ArtifactCall = {}): Promise<Embeddings> {
    return this.#embed("embedDocuments", texts, options);
  }

  index(documents: TextsInput | Texts, options: ArtifactCall = {}): Promise<CoreIndex> {
    const { onProgress, signal } = options;
    return this.#reader.withTexts(documents, "documents", { onProgress, signal }, async (texts) => {
      const index = await this.#long(options, (model, choice, host) => model.index(texts, choice, host));
      return new CoreIndex(this.thread, index);
    });
  }

  override dispose(): void {
    this.#crews.dismiss(this.#crew);
    super.dispose();
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
    const model = this.engine;
    const choice = given({ model: which });
    return this.thread.long({ onProgress, signal }, (host) => work(model, choice, host), this.#crew);
  }
}
