/** An earlier run that is gone on from, as its download tells of it. */

import { QuerytuneError, type Report } from "querytune";
import { fileInZip } from "./zip.js";

/** What is worth knowing of it before it is opened by the engine. */
export interface EarlierRun {
  /** Distinct queries and documents. */
  queries: number;
  documents: number;
  /** Pairs that have a score. */
  scored: number;
  /** Which model it delivered. */
  delivered: "tuned" | "base";
  /** The names of its models. */
  encoder: string;
  crossEncoder: string;
  dispose(): void;
}

const wrong = (message: string, cause?: unknown) =>
  new QuerytuneError("artifact", `${message} Choose the artifact.zip that was downloaded then, as it was saved.`, {
    cause,
  });

/** Reads the report in the download; the engine reads the rest when the job runs. */
export async function readEarlierRun(file: File): Promise<EarlierRun> {
  const packed = await fileInZip(file, "report.json").catch((cause) => {
    throw wrong(`${file.name} is damaged.`, cause);
  });
  if (!packed) throw wrong(`${file.name} is no download of an earlier run: there is no report.json in it.`);
  try {
    const { data, stages, fit, models }: Report = JSON.parse(await packed.text());
    return {
      queries: data.queries,
      documents: data.documents,
      scored: stages.score.pairs,
      delivered: fit.delivered,
      encoder: models.encoder.id,
      crossEncoder: models.crossEncoder.id,
      dispose: () => {},
    };
  } catch (cause) {
    throw wrong(`The report.json in ${file.name} is not that of a run.`, cause);
  }
}
