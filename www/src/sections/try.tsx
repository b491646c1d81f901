import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { SearchHit } from "querytune";
import { score } from "../format.js";
import { type Outcome, outcome } from "../job.js";
import { ErrorBox } from "../parts/error-box.js";
import { Section } from "../parts/section.js";
import { noteFailure } from "../session.js";

const TOP = 10;

interface Found {
  of: Outcome;
  query: string;
  base: SearchHit[];
  tuned: SearchHit[];
}
const found = signal<Found | undefined>(undefined);

/** A query's results by the base and by the tuned model. */
export function TrySection() {
  const [query, setQuery] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const result = outcome.value;
  const shown = found.value?.of === result ? found.value : undefined;
  const search = async () => {
    if (!result || query.trim() === "") return;
    setBusy(true);
    setError(undefined);
    try {
      found.value = { of: result, query, ...(await result.run.search(query, { topK: TOP })) };
    } catch (thrown) {
      noteFailure(thrown);
      setError(thrown);
    }
    setBusy(false);
  };
  return (
    <Section number={5} title="Try it" sentence="Type a query and see what the base and the tuned model find for it.">
      <search>
        <form
          class="search"
          onSubmit={(event) => {
            event.preventDefault();
            void search();
          }}
        >
          <label for="search-box">Query</label>
          <input
            id="search-box"
            type="search"
            data-testid="search-box"
            disabled={!result}
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
          <button type="submit" data-testid="search-submit" disabled={!result || busy}>
            Search
          </button>
        </form>
      </search>
      {!result && <p class="quiet">There is nothing to search with yet: run a job first.</p>}
      <ErrorBox error={error} testid="error-search" />
      <div class="columns" aria-live="polite" aria-busy={busy}>
        {shown && <Hits title="Base" hits={shown.base} testid="search-base" />}
        {shown && <Hits title="Tuned" hits={shown.tuned} compared={shown.base} testid="search-tuned" />}
      </div>
    </Section>
  );
}

function Hits(props: { title: string; hits: SearchHit[]; compared?: SearchHit[]; testid: string }) {
  const before = props.compared && new Map(props.compared.map((hit, rank) => [hit.document, rank]));
  return (
    <div>
      <h3>{props.title}</h3>
      <ol class="hits" data-testid={props.testid}>
        {props.hits.map((hit, rank) => (
          <li key={hit.document} data-id={hit.id}>
            <div>
              <b>{hit.title || hit.id}</b> <span class="quiet">{score(hit.score)}</span>{" "}
              {before && <Move from={before.get(hit.document)} to={rank} />}
            </div>
            <span class="clamp">{hit.text}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Move({ from, to }: { from: number | undefined; to: number }) {
  if (from === undefined) return <span class="move up">new in the first {TOP}</span>;
  if (from > to) return <span class="move up">up {from - to}</span>;
  if (from < to) return <span class="move down">down {to - from}</span>;
  return null;
}
