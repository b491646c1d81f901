/** Documents ready to be searched, kept by the worker. */

import type { Id } from "./crossing.js";
import { Handle, type Link } from "./link.js";
import { checkText, checkTopK } from "./lists.js";
import { remoteTexts } from "./remote-texts.js";
import type { Index, IndexSearchOptions, SearchHit, Texts, TextsInput, Watch } from "./types.js";

export class RemoteIndex extends Handle implements Index {
  readonly length: number;

  constructor(link: Link, made: { id: Id; length: number }) {
    super(link, made.id);
    this.length = made.length;
  }

  async search(query: string, { topK, rerank, ...watch }: IndexSearchOptions = {}): Promise<SearchHit[]> {
    const [text, most] = [checkText(query, "query"), checkTopK(topK)];
    return this.link.long(watch, (call) => this.link.service.searchIndex(call, this.id, text, most, rerank));
  }
}

/** An index by the base model of a tuner, or by the tuned one of a run. */
export async function index(owner: Handle, documents: TextsInput | Texts, watch: Watch): Promise<Index> {
  const texts = remoteTexts(owner.link, documents, "documents");
  const made = await owner.link.long(watch, (call) => owner.link.service.index(call, owner.id, texts));
  return new RemoteIndex(owner.link, made);
}
