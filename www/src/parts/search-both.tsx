import { signal } from "@preact/signals";
import type { SearchHit } from "querytune";
import { count, score } from "../format.js";
import { type Outcome, outcome } from "../outcome.js";
import { noteFailure } from "../session.js";
import { withoutTitle } from "../text.js";
import { ErrorBox } from "./error-box.js";

const TOP = 10;

interface Found {
  of: Outcome["run"];
  query: string;
  base: SearchHit[];
  tuned: SearchHit[];
}
const typed = signal("");
const found = signal<Found | undefined>(undefined);
const busy = signal(false);
const error = signal<unknown>(undefined);

/** Searches with both models and shows what they find. */
export async function searchFor(query: string): Promise<void> {
  const result = outcome.value;
  typed.value = query;
  if (!result || query.trim() === "") return;
  busy.value = true;
  error.value = undefined;
  try {
    found.value = { of: result.run, query, ...(await result.run.search(query, { topK: TOP })) };
  } catch (thrown) {
    noteFailure(thrown);
    error.value = thrown;
  }
  busy.value = false;
}

/** A query's results by the base and by the tuned model. */
export function SearchBoth() {
  const result = outcome.value;
  const shown = found.value?.of === result?.run ? found.value : undefined;
  return (
    <>
      <h3>Search with both</h3>
      <search>
        <form
          class="search"
          onSubmit={(event) => {
            event.preventDefault();
            void searchFor(typed.value);
          }}
        >
          <label for="search-box">Query</label>
          <input
            id="search-box"
            type="search"
            data-testid="search-box"
            disabled={!result}
            value={typed.value}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
            }}
          />
          <button type="submit" data-testid="search-submit" disabled={!result || busy.value}>
            Search
          </button>
        </form>
      </search>
      <ErrorBox error={error.value} testid="error-search" />
      <div role="status" aria-busy={busy.value}>
        {shown && <p data-testid="search-moved">{moved(shown)}</p>}
      </div>
      <div class="columns">
        {shown && <Hits title="Base" hits={shown.base} other={shown.tuned} testid="search-base" />}
        {shown && <Hits title="Tuned" hits={shown.tuned} other={shown.base} tuned testid="search-tuned" />}
      </div>
    </>
  );
}

function moved({ query, base, tuned }: Found): string {
  const before = new Map(base.map((hit, rank) => [hit.document, rank]));
  const entered = tuned.filter((hit) => !before.has(hit.document)).length;
  const changed = tuned.filter((hit, rank) => before.has(hit.document) && before.get(hit.document) !== rank).length;
  if (entered + changed === 0) return `“${query}”: both models find the same documents in the same order.`;
  return `“${query}”: ${count(entered)} of the tuned model’s first ${count(tuned.length)} documents are new, ${count(changed)} moved.`;
}

interface HitsProps {
  title: string;
  hits: SearchHit[];
  other: SearchHit[];
  tuned?: boolean;
  testid: string;
}

function Hits({ title, hits, other, tuned, testid }: HitsProps) {
  const ranks = new Map(other.map((hit, rank) => [hit.document, rank]));
  return (
    <div>
      <h4>{title}</h4>
      <ol class="hits" data-testid={testid}>
        {hits.map((hit, rank) => {
          const there = ranks.get(hit.document);
          return (
            <li key={hit.document} data-id={hit.id} data-moved={there !== rank || undefined}>
              <div>
                <b>{hit.title || hit.id}</b> <span class="quiet">{score(hit.score)}</span>{" "}
                {tuned ? (
                  <Move from={there} to={rank} />
                ) : (
                  there === undefined && <span class="move down">not in the tuned model’s first {count(TOP)}</span>
                )}
              </div>
              <span class="clamp">{withoutTitle(hit)}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function Move({ from, to }: { from: number | undefined; to: number }) {
  if (from === undefined) return <span class="move up">new in the first {count(TOP)}</span>;
  if (from > to) return <span class="move up">up {count(from - to)}</span>;
  if (from < to) return <span class="move down">down {count(to - from)}</span>;
  return null;
}
