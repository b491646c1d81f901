/** A trained adapter, kept by the worker. */

import type { Id } from "./crossing.js";
import { Handle, type Link } from "./link.js";
import { checkText, checkTopK } from "./lists.js";
import { index } from "./remote-index.js";
import { remoteJudgements } from "./remote-judgements.js";
import { RemoteJudging } from "./remote-judging.js";
import type {
  AdapterFile,
  Index,
  JudgementsInput,
  Judging,
  JudgingOptions,
  PerQueryKind,
  Report,
  Run,
  SearchHit,
  SearchOptions,
  Texts,
  TextsInput,
  Watch,
} from "./types.js";

export class RemoteRun extends Handle implements Run {
  #report: Report;

  constructor(link: Link, made: { id: Id; report: Report }) {
    super(link, made.id);
    this.#report = made.report;
  }

  get report(): Report {
    return this.#report;
  }

  async search(query: string, options: SearchOptions = {}): Promise<{ base: SearchHit[]; tuned: SearchHit[] }> {
    const [text, topK] = [checkText(query, "query"), checkTopK(options.topK)];
    return this.link.long(options, (call) => this.link.service.search(call, this.id, text, topK));
  }

  async evaluate(judgements: JudgementsInput, watch: Watch = {}): Promise<Report> {
    const judged = remoteJudgements(this.link, judgements);
    this.#report = await this.link.long(watch, (call) => this.link.service.evaluate(call, this.id, judged));
    return this.#report;
  }

  async saveArtifact(watch: Watch = {}): Promise<Blob> {
    const zip = await this.link.long(watch, (call) => this.link.service.artifact(call, this.id));
    return new Blob([zip as Uint8Array<ArrayBuffer>], { type: "application/zip" });
  }

  adapter(): Promise<Uint8Array> {
    return this.link.settle(this.link.service.adapter(this.id));
  }

  adapterFiles(): Promise<AdapterFile[]> {
    return this.link.settle(this.link.service.adapterFiles(this.id));
  }

  perQueryCsv(kind: PerQueryKind): Promise<string> {
    return this.link.settle(this.link.service.perQueryCsv(this.id, kind));
  }

  async judging(options: JudgingOptions = {}): Promise<Judging> {
    const { onProgress, signal, ...choices } = options;
    const made = await this.link.long({ onProgress, signal }, (call) =>
      this.link.service.judging(call, this.id, choices),
    );
    return new RemoteJudging(this.link, made, (report) => {
      this.#report = report;
    });
  }

  index(documents: TextsInput | Texts, watch: Watch = {}): Promise<Index> {
    return index(this, documents, watch);
  }
}
