/** A download that is used again, across the worker's border, seen from the main thread. */

import * as Comlink from "comlink";
import type { ArtifactCall, ArtifactModel, ArtifactOptions, TunedModel } from "./artifact.js";
import { checkTexts } from "./lists.js";
import type { Choice, Id, RemoteTexts } from "./remote.js";
import type { Embeddings, EngineInfo, Index, ReadCall, Report, Texts, TextsInput, Watch } from "./types.js";

/** A model as the worker has loaded it. */
export interface LoadedArtifact {
  id: Id;
  info: EngineInfo;
  report: Report;
  isTuned: boolean;
}

/** What the worker does for it; `call` numbers a long call. */
export interface ArtifactService {
  loadArtifact(call: number, zip: Blob | Uint8Array, choice: Choice): Promise<LoadedArtifact>;
  embedTuned(
    call: number,
    id: Id,
    side: "embedQueries" | "embedDocuments",
    texts: readonly string[],
    model: ArtifactModel | undefined,
  ): Promise<Embeddings>;
  indexTuned(
    call: number,
    id: Id,
    documents: RemoteTexts,
    model: ArtifactModel | undefined,
  ): Promise<{ id: Id; length: number }>;
}

/** The worker, as far as it is needed. */
interface Link {
  readonly service: ArtifactService;
  long<T>(watch: Watch, ask: (call: number) => Promise<T>): Promise<T>;
}

/** The session that a model is of. */
interface Home {
  readonly link: Link;
  readDocuments(documents: TextsInput, options?: ReadCall): Promise<Texts>;
  /** Texts as the worker takes them. */
  lend(documents: TextsInput | Texts): RemoteTexts;
  /** An index that the worker has made. */
  indexOf(made: { id: Id; length: number }): Index;
}

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

export class RemoteTunedModel implements TunedModel {
  readonly info: EngineInfo;
  readonly report: Report;
  readonly isTuned: boolean;
  readonly #home: Home;
  readonly #id: Id;
  readonly #end: (id: Id) => void;

  /** `end` frees what the worker keeps under the number, or ends the worker. */
  constructor(home: Home, made: LoadedArtifact, end: (id: Id) => void) {
    this.#home = home;
    this.#id = made.id;
    this.#end = end;
    this.info = made.info;
    this.report = made.report;
    this.isTuned = made.isTuned;
  }

  readDocuments(documents: TextsInput, options?: ReadCall): Promise<Texts> {
    return this.#home.readDocuments(documents, options);
  }

  embedQueries(texts: readonly string[], options: ArtifactCall = {}): Promise<Embeddings> {
    return this.#embed("embedQueries", texts, options);
  }

  embedDocuments(texts: readonly string[], options: ArtifactCall = {}): Promise<Embeddings> {
    return this.#embed("embedDocuments", texts, options);
  }

  async index(documents: TextsInput | Texts, options: ArtifactCall = {}): Promise<Index> {
    const { link } = this.#home;
    const texts = this.#home.lend(documents);
    const made = await link.long(options, (call) => link.service.indexTuned(call, this.#id, texts, options.model));
    return this.#home.indexOf(made);
  }

  dispose(): void {
    this.#end(this.#id);
  }

  async #embed(
    side: "embedQueries" | "embedDocuments",
    texts: readonly string[],
    options: ArtifactCall,
  ): Promise<Embeddings> {
    const { link } = this.#home;
    const list = checkTexts(texts);
    return link.long(options, (call) => link.service.embedTuned(call, this.#id, side, list, options.model));
  }
}
