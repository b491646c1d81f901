/** The engine in the thread that calls it: what the public types describe, without a worker between. */

import { unlessAborted } from "./abort.js";
import { type CoreTunedModel, loadArtifact } from "./core-artifact.js";
import { CoreReader } from "./core-reader.js";
import { CoreTuner } from "./core-tuner.js";
import type { Recruiting } from "./crew.js";
import { Crews } from "./crews.js";
import { QuerytuneError } from "./errors.js";
import { type Choice, resolveModels, type TunerModels } from "./models.js";
import { given } from "./options.js";
import { reachable, start } from "./start.js";
import { openStore } from "./store.js";
import { Thread } from "./thread.js";
import type { ArtifactOptions, LoadOptions, OpenOptions, Session, Watch } from "./types.js";
import * as engine from "./wasm/querytune.js";

export class CoreSession extends CoreReader implements Session {
  readonly crews: Crews;
  /** Where hub ids are downloaded from. */
  readonly #host: string | undefined;

  private constructor(thread: Thread, crews: Crews, host: string | undefined) {
    super(thread);
    this.crews = crews;
    this.#host = host;
  }

  /** `recruiting` gets threads that help on the CPU; without it this thread does all work. */
  static async open(options: OpenOptions, recruiting?: Recruiting): Promise<CoreSession> {
    options.signal?.throwIfAborted();
    const warn = options.onWarning ?? ((message) => console.warn(message));
    const opening = Promise.all([openStore(options.store, warn), start(options.wasm)]);
    const [store, module] = await unlessAborted(options.signal, opening);
    return new CoreSession(new Thread(store, warn), new Crews(module, recruiting, warn), options.host);
  }

  async load(options: LoadOptions = {}): Promise<CoreTuner> {
    const { onProgress, signal, encoder, crossEncoder, ...choice } = options;
    const onWarning = this.thread.warn;
    const download = { host: this.#host, onProgress, signal, onWarning };
    const models = await resolveModels({ encoder, crossEncoder }, download);
    return this.loadFiles(models, choice, { onProgress, signal });
  }

  /** The same, with the files already here. */
  async loadFiles(models: TunerModels, { device, dtype, threads }: Choice, watch: Watch): Promise<CoreTuner> {
    const size = this.crews.threads(threads, models);
    const tuner = await this.thread.long(watch, (host) =>
      engine.Tuner.load(
        models.encoder,
        models.crossEncoder,
        given({ device: reachable(device), dtype, threads: size }),
        host,
      ),
    );
    const crew = this.crews.recruit(models, tuner.info(), size);
    return new CoreTuner(this, this.crews, tuner, models.encoder, crew);
  }

  loadArtifact(zip: Blob | Uint8Array, options: ArtifactOptions = {}): Promise<CoreTunedModel> {
    return loadArtifact(this, this.crews, zip, options);
  }

  dispose(): void {
    this.crews.dispose();
    const ended = new QuerytuneError("disposed", "The session was ended; open a new one.", { endsSession: true });
    this.thread.queue.kill(ended);
  }
}
