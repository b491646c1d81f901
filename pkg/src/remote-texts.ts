/** Queries and documents, kept by the worker. */

import type { Id, RemoteTexts } from "./crossing.js";
import { QuerytuneError } from "./errors.js";
import { Handle, type Link } from "./link.js";
import { checkItems } from "./lists.js";
import type { Reading, TextItem, Texts, TextsInput } from "./types.js";

export class RemoteTextsHandle extends Handle implements Texts {
  readonly reading: Reading;
  readonly length: number;

  constructor(link: Link, made: { id: Id; reading: Reading; length: number }) {
    super(link, made.id);
    this.reading = made.reading;
    this.length = made.length;
  }

  items(from: number, count: number): Promise<TextItem[]> {
    return this.link.settle(this.link.service.items(this.id, from, count));
  }
}

/** What is read as it can cross to the worker. */
export function crossing(input: TextsInput, role: "queries" | "documents"): TextsInput {
  return Array.isArray(input) ? checkItems(input, role) : input;
}

/** The number of what is held for the caller; numbers of other sessions mean other objects here. */
export function idOf(link: Link, held: Handle): { id: Id } {
  if (held.link === link) return { id: held.id };
  throw new QuerytuneError("option", "Texts or judgements are of another session; read them in this one.");
}

/** The number of texts that were read before. */
export function readTexts(link: Link, texts: Texts): Id {
  if (texts instanceof RemoteTextsHandle) return idOf(link, texts).id;
  throw new QuerytuneError("option", "Give what readQueries and readDocuments gave.");
}

/** Texts as the worker takes them: the number of what it keeps, or what it has to read. */
export function remoteTexts(link: Link, texts: TextsInput | Texts, role: "queries" | "documents"): RemoteTexts {
  if (texts instanceof RemoteTextsHandle) return idOf(link, texts);
  return { input: crossing(texts as TextsInput, role) };
}
