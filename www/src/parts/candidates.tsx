import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { CandidateRow } from "querytune";
import { count, counted, score } from "../format.js";
import type { Outcome } from "../outcome.js";
import { withoutTitle } from "../text.js";
import { ErrorBox } from "./error-box.js";

/** Queries that are offered while one is typed. */
const OFFERED = 8;

/** Texts that are fetched at a time. */
const FETCHED = 10_000;

/** The texts of all queries: the first that are at hand, and the others once they are `wanted`. */
function useQueries({ relations, queries }: Props["outcome"], wanted: boolean, failed: (error: unknown) => void) {
  const [texts, setTexts] = useState(queries);
  const total = relations.summary().queries;
  useEffect(() => {
    if (!wanted || texts.length >= total) return;
    let current = true;
    relations.queries(texts.length, Math.min(FETCHED, total - texts.length)).then(
      (items) => current && setTexts([...texts, ...items.map(({ text }) => text)]),
      (thrown) => current && failed(thrown),
    );
    return () => {
      current = false;
    };
  }, [relations, wanted, texts, total]);
  return { texts, total };
}

interface Props {
  outcome: Pick<Outcome, "relations" | "queries" | "retrieved">;
}

/** What was retrieved for a query, with the cross-encoder's scores. */
export function Candidates({ outcome }: Props) {
  const { relations, retrieved } = outcome;
  const [query, setQuery] = useState(0);
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<{ of: number; rows: CandidateRow[] }>();
  const [byScore, setByScore] = useState(false);
  const [error, setError] = useState<unknown>();
  const picked = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    let wanted = true;
    relations.candidates(query).then(
      (rows) => wanted && setFound({ of: query, rows }),
      (thrown) => wanted && setError(thrown),
    );
    return () => {
      wanted = false;
    };
  }, [relations, query]);
  const wanted = typed.trim().toLowerCase();
  const { texts, total } = useQueries(outcome, wanted !== "" || query + 1 >= outcome.queries.length, setError);
  const matches = useMemo(() => {
    const having: number[] = [];
    if (wanted !== "") for (const [i, text] of texts.entries()) if (text.toLowerCase().includes(wanted)) having.push(i);
    return having;
  }, [texts, wanted]);
  const offered = matches.slice(0, OFFERED);
  const unread = total - texts.length;
  const ranked = (found?.rows ?? []).map((row, rank) => ({ ...row, rank: rank + 1 }));
  const rows = byScore ? ranked.toSorted((a, b) => (b.logit ?? -1e9) - (a.logit ?? -1e9)) : ranked;
  const scored = rows.filter((row) => row.logit !== undefined);
  const pick = (next: number) => {
    setQuery(next);
    setTyped("");
  };
  return (
    <>
      <h3>A query’s candidates</h3>
      <div class="fields">
        <label>
          Find a query of the log
          <input
            type="search"
            data-testid="candidates-find"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
      </div>
      {wanted !== "" && (
        <ul class="offers" aria-label="Queries found">
          {offered.map((i) => (
            <li key={i}>
              <button
                type="button"
                class="link"
                onClick={() => {
                  pick(i);
                  // What was offered goes away.
                  picked.current?.focus();
                }}
              >
                {texts[i]}
              </button>
            </li>
          ))}
          {matches.length > OFFERED && <li class="quiet">And {count(matches.length - OFFERED)} more.</li>}
          {unread > 0 && <li class="quiet">Reading {counted(unread, "more query", "more queries")} …</li>}
          {matches.length === 0 && unread === 0 && <li class="quiet">No query has these letters in it.</li>}
        </ul>
      )}
      <p class="buttons">
        <button type="button" data-testid="candidates-back" disabled={query === 0} onClick={() => pick(query - 1)}>
          Earlier query
        </button>
        <button type="button" data-testid="candidates-on" disabled={query + 1 >= total} onClick={() => pick(query + 1)}>
          Later query
        </button>
        <label class="choice">
          <input
            type="checkbox"
            data-testid="candidates-by-score"
            checked={byScore}
            onChange={(event) => setByScore(event.currentTarget.checked)}
          />
          <span>by score</span>
        </label>
      </p>
      <p aria-live="polite" ref={picked} tabIndex={-1} data-testid="candidates-query">
        <span class="quiet">
          {count(query + 1)} of {count(total)}:
        </span>{" "}
        <b>{texts[query]}</b>
      </p>
      <ErrorBox error={error} testid="error-candidates" />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard. */}
      <section class="scroll rows candidates" tabIndex={0} aria-label="Candidates of the query">
        <table data-testid="candidates-table">
          <thead>
            <tr>
              <th scope="col">Rank</th>
              <th scope="col">Document</th>
              <th scope="col" class="number-cell">
                Cosine
              </th>
              <th scope="col" class="number-cell">
                Score
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.document}>
                <td>{row.rank > retrieved ? "BM25" : count(row.rank)}</td>
                <td>
                  <span class="clamp">
                    {row.title && <b>{row.title}</b>} {withoutTitle(row)}
                  </span>
                </td>
                <td class="number-cell">{score(row.cosine)}</td>
                <td class="number-cell">{row.logit === undefined ? "–" : score(row.logit)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="quiet">
        Ranked by the base model’s cosine; {counted(scored.length, "was", "were")} scored.{" "}
        {rows.length > retrieved && "Those that only BM25 has found have no rank. "}The score is the cross-encoder’s
        logit: above 0 it takes the document for an answer.
      </p>
    </>
  );
}
