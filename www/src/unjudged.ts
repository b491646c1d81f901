/** What was trained is held against the judgements; where that comes to nothing, it is there all the same. */

import { isAbort, type Judgements, QuerytuneError, type Run, type Texts, type Watch } from "querytune";
import type { Choice } from "./choice.js";
import { isEnd, session } from "./session.js";

/** Why a run that was to be judged has no judged figures. */
export interface Unjudged {
  /** Absent where it was stopped by hand. */
  error?: unknown;
}

/** What a run is judged by; `queries`: those that the judgements are about, where they are not the log's own. */
interface Given {
  qrels: Judgements;
  queries?: Texts;
}

/** Judges a run; tells why there are no figures, if there are none. Rejected where the run is gone, too. */
export async function judge(run: Run, { qrels, queries }: Given, watch: Watch): Promise<Unjudged | undefined> {
  try {
    await run.evaluate({ qrels, queries }, watch);
    return undefined;
  } catch (thrown) {
    if (isEnd(thrown)) throw thrown;
    return isAbort(thrown) ? {} : { error: thrown };
  }
}

/** The same by the files that a run was made with, whatever is chosen since. */
export async function judgeAgain(run: Run, of: Choice, watch: Watch): Promise<Unjudged | undefined> {
  const { qrels: judgements, testQueries } = of.files;
  if (!judgements) return undefined;
  const opened = await session();
  const made: { dispose(): void }[] = [];
  try {
    const { signal } = watch;
    const qrels = await opened.readJudgements(judgements, { ...of.settings.reading.qrels, signal });
    made.push(qrels);
    const options = { ...of.settings.reading.testQueries, signal };
    const queries = testQueries && (await opened.readQueries(testQueries, options));
    if (queries) made.push(queries);
    return await judge(run, { qrels, queries }, watch);
  } catch (thrown) {
    if (isEnd(thrown)) throw thrown;
    return isAbort(thrown) ? {} : { error: thrown };
  } finally {
    for (const one of made) one.dispose();
  }
}

/** Whether it can come to something when it is done again: judgements that name nothing of the files never do. */
export function isWorthwhile({ error }: Unjudged): boolean {
  return !(error instanceof QuerytuneError && error.code === "input-qrels");
}
