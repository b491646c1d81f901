import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "querytune";
import { count, counted, difference, score } from "../format.js";
import { type Change, compareQueries, MOST_QUERIES } from "../gains.js";
import type { Outcome } from "../job.js";
import { noteFailure } from "../session.js";
import { ErrorBox } from "./error-box.js";
import { searchFor } from "./search-both.js";

const SHOWN = 8;

/** Queries that gained and lost most. */
export function Gains({ outcome }: { outcome: Outcome }) {
  const [changes, setChanges] = useState<Change[]>();
  const [done, setDone] = useState<number>();
  const [error, setError] = useState<unknown>();
  const controller = useRef<AbortController>(undefined);
  useEffect(() => () => controller.current?.abort(), []);
  const compare = async () => {
    controller.current = new AbortController();
    setError(undefined);
    setDone(0);
    try {
      setChanges(await compareQueries(outcome, setDone, controller.current.signal));
    } catch (thrown) {
      noteFailure(thrown);
      if (!isAbort(thrown)) setError(thrown);
    }
    setDone(undefined);
  };
  const total = Math.min(MOST_QUERIES, outcome.queries.length);
  const gained = (changes ?? []).filter((change) => change.tuned > change.base).slice(0, SHOWN);
  const lost = (changes ?? [])
    .filter((change) => change.tuned < change.base)
    .slice(-SHOWN)
    .reverse();
  return (
    <>
      <h3>Queries that gained and lost most</h3>
      <p>
        Both models’ first ten documents, weighed by what the cross-encoder thinks of them: 1 if it is sure of all ten,
        0 if of none. Look at what was lost: there the cross-encoder, too, sees a worse result.
      </p>
      {!changes && (
        <p class="buttons">
          <button type="button" data-testid="gains-find" disabled={done !== undefined} onClick={() => void compare()}>
            Compare {counted(total, "query", "queries")}
          </button>
          {done !== undefined && (
            <>
              <progress aria-label="Queries compared" max={total} value={done} />
              <button type="button" onClick={() => controller.current?.abort()}>
                Stop
              </button>
            </>
          )}
        </p>
      )}
      <ErrorBox error={error} testid="error-gains" />
      {changes && (
        <>
          <p role="status" data-testid="gains-summary">
            Of {counted(changes.length, "query", "queries")},{" "}
            {count(changes.filter((change) => change.tuned > change.base).length)} gained,{" "}
            {count(changes.filter((change) => change.tuned < change.base).length)} lost, the others have the same
            result.
          </p>
          <div class="columns">
            <Changes title="Gained most" changes={gained} testid="gained" />
            <Changes title="Lost most" changes={lost} testid="lost" />
          </div>
        </>
      )}
    </>
  );
}

function Changes({ title, changes, testid }: { title: string; changes: Change[]; testid: string }) {
  return (
    <div>
      <h4>{title}</h4>
      {changes.length === 0 && <p class="quiet">None.</p>}
      <ol class="changes" data-testid={testid}>
        {changes.map(({ query, base, tuned }) => (
          <li key={query}>
            <button type="button" class="link" onClick={() => void searchFor(query)}>
              {query}
            </button>{" "}
            <span class="quiet">
              {score(base)} to {score(tuned)} ({difference(tuned - base)})
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
