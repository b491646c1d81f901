/** A download that is used again, kept by the worker. */

import * as Comlink from "comlink";
import { Handle, type Link } from "./link.js";
import { checkTexts } from "./lists.js";
import { RemoteIndex } from "./remote-index.js";
import type { RemoteReader } from "./remote-reader.js";
import { remoteTexts } from "./remote-texts.js";
import type { LoadedArtifact } from "./service.js";
import type {
  ArtifactCall,
  ArtifactOptions,
  Embeddings,
  EngineInfo,
  Index,
  ReadCall,
  Report,
  Texts,
  TextsInput,
  TunedModel,
} from "./types.js";

/** Has the worker load a download's model. */
export function loadArtifact(
  link: Link,
  zip: Blob | Uint8Array,
  { device, dtype, threads, onProgress, signal }: ArtifactOptions,
): Promise<LoadedArtifact> {
  return link.long({ onProgress, signal }, (call) => {
    // A blob crosses without a copy; of bytes there is one, as the caller's stay his.
    // Not by `slice`, which gives a view of the same memory where they are a Buffer.
    const own = zip instanceof Uint8Array ? new Uint8Array(zip) : zip;
    const given = own instanceof Uint8Array ? Comlink.transfer(own, [own.buffer]) : own;
    return link.service.loadArtifact(call, given, { device, dtype, threads });
  });
}

export class RemoteTunedModel extends Handle implements TunedModel {
  readonly info: EngineInfo;
  readonly report: Report;
  readonly isTuned: boolean;
  readonly #reader: RemoteReader;
  readonly #end: () => void;

  /** `end` ends the worker where the model takes it with it; else what the worker keeps of the model is freed. */
  constructor(reader: RemoteReader, made: LoadedArtifact, end?: () => void) {
    super(reader.link, made.id);
    this.#reader = reader;
    this.#end = end ?? (() => super.dispose());
    this.info = made.info;
    this.report = made.report;
    this.isTuned = made.isTuned;
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<Texts> {
    return this.#reader.readDocuments(documents, options);
  }

  embedQueries(texts: readonly string[], options: ArtifactCall = {}): Promise<Embeddings> {
    return this.#embed("embedQueries", texts, options);
  }

  embedDocuments(texts: readonly string[], options: ArtifactCall = {}): Promise<Embeddings> {
    return this.#embed("embedDocuments", texts, options);
  }

  async index(documents: TextsInput | Texts, options: ArtifactCall = {}): Promise<Index> {
    const { link } = this;
    const texts = remoteTexts(link, documents, "documents");
    const made = await link.long(options, (call) => link.service.indexTuned(call, this.id, texts, options.model));
    return new RemoteIndex(link, made);
  }

  override dispose(): void {
    this.#end();
  }

  async #embed(
    side: "embedQueries" | "embedDocuments",
    texts: readonly string[],
    options: ArtifactCall,
  ): Promise<Embeddings> {
    const { link } = this;
    const list = checkTexts(texts);
    return link.long(options, (call) => link.service.embedTuned(call, this.id, side, list, options.model));
  }
}
