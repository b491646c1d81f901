/** Reading files: what can be done before any model is there. */

import type { Judgements, JudgementsCall } from "./judgements.js";
import type { ReadCall, Texts, TextsInput } from "./texts.js";

/** What can be done before any model is there. */
export interface Reader {
  /** Reads queries: a log, one a row. `options` are for files and bytes. */
  readQueries(queries: TextsInput, options?: ReadCall): Promise<Texts>;
  /** Reads documents. `options` are for files and bytes. */
  readDocuments(documents: TextsInput, options?: ReadCall): Promise<Texts>;
  /** Reads judgements (qrels). */
  readJudgements(qrels: Blob | Uint8Array, options?: JudgementsCall): Promise<Judgements>;
}
