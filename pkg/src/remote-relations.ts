/** The synthetic data set, kept by the worker. */

import type { Id } from "./crossing.js";
import { Handle, type Link } from "./link.js";
import type { CandidateRow, RelationRow, Relations, RelationsSummary, TextItem } from "./types.js";

export class RemoteRelations extends Handle implements Relations {
  readonly #summary: RelationsSummary;

  constructor(link: Link, made: { id: Id; summary: RelationsSummary }) {
    super(link, made.id);
    this.#summary = made.summary;
  }

  summary(): RelationsSummary {
    return this.#summary;
  }

  rows(from: number, count: number): Promise<RelationRow[]> {
    return this.link.settle(this.link.service.rows(this.id, from, count));
  }

  queries(from: number, count: number): Promise<TextItem[]> {
    return this.link.settle(this.link.service.queries(this.id, from, count));
  }

  candidates(query: number): Promise<CandidateRow[]> {
    return this.link.settle(this.link.service.candidates(this.id, query));
  }

  toCsv(): Promise<string> {
    return this.link.settle(this.link.service.export(this.id, "toCsv"));
  }

  toGplTsv(): Promise<string> {
    return this.link.settle(this.link.service.export(this.id, "toGplTsv"));
  }

  toJsonl(): Promise<string> {
    return this.link.settle(this.link.service.export(this.id, "toJsonl"));
  }

  toScoresTsv(): Promise<string> {
    return this.link.settle(this.link.service.export(this.id, "toScoresTsv"));
  }
}
