/** A download that is used again, across the worker's border, seen from the worker. */

import * as Comlink from "comlink";
import { CoreTunedModel } from "./core-artifact.js";
import type { CoreIndex } from "./core-index.js";
import type { CoreSession } from "./core-session.js";
import type { Id, RemoteTexts } from "./crossing.js";
import type { ArtifactService } from "./service.js";
import type { Texts, TextsInput, Watch } from "./types.js";

/** What the worker keeps under numbers. */
export interface Kept {
  engine(): CoreSession;
  keep(object: CoreIndex | CoreTunedModel): Id;
  get(id: Id, kind: typeof CoreTunedModel): CoreTunedModel;
  texts(of: RemoteTexts): TextsInput | Texts;
  watched<T>(call: number, work: (watch: Watch) => Promise<T>): Promise<T>;
}

/** The worker's functions. */
export function artifactService({ engine, keep, get, texts, watched }: Kept): ArtifactService {
  return {
    loadArtifact: (call, zip, choice) =>
      watched(call, async (watch) => {
        const model = await engine().loadArtifact(zip, { ...choice, ...watch });
        const { info, report, isTuned } = model;
        return { id: keep(model), info, report, isTuned };
      }),
    embedTuned: (call, id, side, list, model) =>
      watched(call, async (watch) => {
        const vectors = await get(id, CoreTunedModel)[side](list, { ...watch, model });
        return Comlink.transfer(vectors, [vectors.data.buffer]);
      }),
    indexTuned: (call, id, documents, model) =>
      watched(call, async (watch) => {
        const index = await get(id, CoreTunedModel).index(texts(documents), { ...watch, model });
        return { id: keep(index), length: index.length };
      }),
  };
}
