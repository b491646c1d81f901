import { useEffect, useState } from "preact/hooks";
import type { PerQueryKind, Report } from "querytune";
import { judgedQueries } from "../figures.js";
import { count, counted, difference, metric } from "../format.js";
import { type Change, changes, kinds, rise } from "../gains.js";
import type { Outcome } from "../outcome.js";
import { noteFailure } from "../session.js";
import { ErrorBox } from "./error-box.js";
import { searchFor } from "./search-both.js";

const SHOWN = 8;

/** Queries whose figures rose and fell most, by judgements where there are some. */
export function Gains({ outcome: { run } }: { outcome: Pick<Outcome, "run"> }) {
  const { report } = run;
  const [first, ...others] = kinds(report);
  return (
    <>
      <h3>Queries that changed most</h3>
      {!first && <p class="quiet">There are too few queries to leave some out, and none was judged.</p>}
      {first && <Most run={run} kind={first} />}
      {others.map((kind) => (
        <details key={kind} data-testid="gains-more">
          <summary>The same by agreement with the cross-encoder</summary>
          <Most run={run} kind={kind} />
        </details>
      ))}
    </>
  );
}

function basis(kind: PerQueryKind, report: Report): string {
  const { relations, evaluation } = report;
  const { agreement } = evaluation;
  if (kind === "judged") return `By your judgements: nDCG@10 of every judged ${judgedQueries(report, 1)}.`;
  const left = agreement.random?.queries ?? 0;
  const which =
    left < relations.queries ? `${count(left)} of the log’s ${count(relations.queries)}` : "all of the log’s";
  return `By agreement with the cross-encoder, which is not quality: ${which} queries, each while it was left out of training.`;
}

function Most({ run, kind }: { run: Outcome["run"]; kind: PerQueryKind }) {
  const [all, setAll] = useState<Change[]>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    let wanted = true;
    changes(run, kind).then(
      (found) => wanted && setAll(found),
      (thrown) => {
        noteFailure(thrown);
        if (wanted) setError(thrown);
      },
    );
    return () => {
      wanted = false;
    };
  }, [run, kind]);
  const rose = (all ?? []).filter((change) => rise(change) > 0);
  const fell = (all ?? []).filter((change) => rise(change) < 0);
  return (
    <div data-testid={`gains-${kind}`}>
      <p class="quiet">
        {basis(kind, run.report)} A click searches with both models. All figures are in a file under Download.
      </p>
      <ErrorBox error={error} testid="error-gains" />
      {all && (
        <>
          <p role="status" data-testid={`gains-summary-${kind}`}>
            Of {counted(all.length, "query", "queries")}, {count(rose.length)} rose, {count(fell.length)} fell, the
            others have the same figure.
          </p>
          <div class="columns">
            <Changes title="Rose most" of={rose.slice(0, SHOWN)} testid={`gained-${kind}`} />
            <Changes title="Fell most" of={fell.slice(-SHOWN).reverse()} testid={`lost-${kind}`} />
          </div>
        </>
      )}
    </div>
  );
}

function Changes({ title, of, testid }: { title: string; of: Change[]; testid: string }) {
  return (
    <div>
      <h4>{title}</h4>
      {of.length === 0 && <p class="quiet">None.</p>}
      <ol class="changes" data-testid={testid}>
        {of.map(({ id, query, base, tuned }) => (
          <li key={id}>
            <button type="button" class="link" onClick={() => void searchFor(query)}>
              {query}
            </button>{" "}
            <span class="quiet">
              {metric(base)} to {metric(tuned)} ({difference(tuned - base)})
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
