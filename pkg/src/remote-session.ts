/** The engine in a worker of its own: what the public types describe, with every call across to it. */

import * as Comlink from "comlink";
import { unlessAborted } from "./abort.js";
import { QuerytuneError } from "./errors.js";
import { Link } from "./link.js";
import { resolveModels } from "./models.js";
import { loadArtifact, RemoteTunedModel } from "./remote-artifact.js";
import { RemoteReader } from "./remote-reader.js";
import { RemoteTuner } from "./remote-tuner.js";
import type { ArtifactOptions, LoadOptions, OpenOptions, Session, TunedModel, Tuner } from "./types.js";

export class RemoteSession extends RemoteReader implements Session {
  readonly #host: string | undefined;

  private constructor(link: Link, host: string | undefined) {
    super(link);
    this.#host = host;
  }

  static async open(options: OpenOptions): Promise<RemoteSession> {
    const { signal } = options;
    signal?.throwIfAborted();
    const link = new Link(options.onWarning ?? ((message) => console.warn(message)));
    try {
      await unlessAborted(signal, link.open(options));
    } catch (error) {
      link.end(error as Error);
      throw error;
    }
    return new RemoteSession(link, options.host);
  }

  load(options: LoadOptions = {}): Promise<Tuner> {
    return this.#load(options);
  }

  /** A tuner that takes the session with it when it is disposed of. */
  loadOwning(options: LoadOptions): Promise<Tuner> {
    return this.#load(options, () => this.dispose());
  }

  loadArtifact(zip: Blob | Uint8Array, options: ArtifactOptions = {}): Promise<TunedModel> {
    return this.#loadArtifact(zip, options);
  }

  /** A model that takes the session with it when it is disposed of. */
  loadArtifactOwning(zip: Blob | Uint8Array, options: ArtifactOptions): Promise<TunedModel> {
    return this.#loadArtifact(zip, options, () => this.dispose());
  }

  dispose(): void {
    this.link.end(new QuerytuneError("disposed", "The session was ended; open a new one.", { endsSession: true }));
  }

  async #loadArtifact(zip: Blob | Uint8Array, options: ArtifactOptions, end?: () => void): Promise<TunedModel> {
    return new RemoteTunedModel(this, await loadArtifact(this.link, zip, options), end);
  }

  async #load(options: LoadOptions, end?: () => void): Promise<Tuner> {
    const { onProgress, signal, encoder, crossEncoder, device, dtype, threads } = options;
    // Downloads happen here, so that the worker needs no network for models.
    const download = { host: this.#host, onProgress, signal, onWarning: this.link.warn };
    const models = await resolveModels({ encoder, crossEncoder }, download);
    const files = [models.encoder, models.crossEncoder].flatMap((model) => Object.values(model?.files ?? {}));
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.load(
        call,
        Comlink.transfer(
          models,
          files.map((bytes) => bytes.buffer),
        ),
        { device, dtype, threads },
      ),
    );
    return new RemoteTuner(this, made, end);
  }
}
