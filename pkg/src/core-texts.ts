/** Queries and documents, held by the engine. */

import { Handle, type Thread } from "./thread.js";
import type { Reading, TextItem, Texts } from "./types.js";
import type * as engine from "./wasm/querytune.js";

export class CoreTexts extends Handle<engine.Texts> implements Texts {
  readonly reading: Reading;
  readonly length: number;

  constructor(thread: Thread, texts: engine.Texts) {
    super(thread, texts);
    this.reading = texts.reading();
    this.length = texts.length;
  }

  async items(from: number, count: number): Promise<TextItem[]> {
    return this.thread.short(() => this.engine.items(from, count));
  }
}
