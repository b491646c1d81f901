import { useEffect, useRef, useState } from "preact/hooks";
import { counted, difference, metric } from "../format.js";
import { ErrorBox } from "../parts/error-box.js";

/** 0: does not answer the query; 1: somewhat; 2: well. */
export type Relevance = 0 | 1 | 2;

/** A query with the documents that are to be judged for it, in an order that tells nothing of where they come from. */
export interface JudgingItem {
  query: string;
  documents: { document: number; title?: string; text: string }[];
}

/** One ranking beside the base model's. */
export interface Versus {
  /** Mean nDCG@10 on the judged queries. */
  mean: number;
  /** 95 % interval of the difference to the base model. */
  interval: [number, number];
  conclusion: "better" | "unclear" | "worse";
}

export interface JudgingVerdict {
  /** Queries that tell something. */
  queries: number;
  base: number;
  tuned: Versus;
  ceiling?: Versus;
}

/** What is judged, where the answers go, and what they come to. */
export interface Judging {
  items: JudgingItem[];
  /** Answers of an earlier visit, by place in the items. */
  answered?: ReadonlyMap<string, Relevance>;
  answer(query: number, document: number, relevance: Relevance): Promise<void>;
  verdict(): Promise<JudgingVerdict>;
}

/** Queries that are enough for a verdict in most cases. */
const ENOUGH = 50;
const KEYS: Record<string, Relevance> = { "0": 0, n: 0, "1": 1, s: 1, "2": 2, y: 2 };
const ANSWERS: [Relevance, string, string][] = [
  [2, "Answers it", "Y"],
  [1, "Somewhat", "S"],
  [0, "Does not", "N"],
];

/** A document's place in the order of the questions. */
export interface Question {
  item: number;
  place: number;
}

/** All questions, query after query. */
export function questions(items: JudgingItem[]): Question[] {
  return items.flatMap(({ documents }, item) => documents.map((_, place) => ({ item, place })));
}

const key = (query: number, document: number) => `${query} ${document}`;

/**
 * Quick judging: one document at a time, by a single key, without a sign of which model found it. Backspace goes one
 * back; every answer is kept at once.
 */
export function Judge({ judging }: { judging: Judging }) {
  const all = questions(judging.items);
  const [answers, setAnswers] = useState<ReadonlyMap<string, Relevance>>(judging.answered ?? new Map());
  const answeredAt = ({ item, place }: Question) =>
    answers.get(key(item, judging.items[item]?.documents[place]?.document ?? -1));
  const [at, setAt] = useState(() => {
    const open = all.findIndex((question) => answeredAt(question) === undefined);
    return open < 0 ? all.length : open;
  });
  const [result, setResult] = useState<JudgingVerdict>();
  const [error, setError] = useState<unknown>();
  const box = useRef<HTMLFieldSetElement>(null);
  const question = all[at];
  const item = question && judging.items[question.item];
  const document = item?.documents[question?.place ?? 0];

  const answer = (relevance: Relevance) => {
    if (!question || !document) return;
    setAnswers(new Map(answers).set(key(question.item, document.document), relevance));
    setAt(at + 1);
    judging.answer(question.item, document.document, relevance).catch(setError);
  };
  // The keys work as soon as the questions are there.
  useEffect(() => box.current?.focus(), []);
  const decide = () => judging.verdict().then(setResult, setError);
  const queries = question ? question.item : judging.items.length;

  return (
    <div data-testid="judge">
      <p>
        Say of each document whether it answers the query. You do not see which model found it. Keys: <kbd>Y</kbd>{" "}
        answers it, <kbd>S</kbd> somewhat, <kbd>N</kbd> does not, <kbd>Backspace</kbd> one back. Stop when you like;
        about {ENOUGH} queries tell.
      </p>
      <ErrorBox error={error} testid="error-judge" />
      <fieldset
        ref={box}
        class="judge"
        tabIndex={-1}
        aria-label="Question"
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          const relevance = KEYS[event.key.toLowerCase()];
          if (relevance !== undefined) answer(relevance);
          else if (event.key === "Backspace" && at > 0) setAt(at - 1);
          else return;
          event.preventDefault();
        }}
      >
        <p class="quiet" role="status" data-testid="judge-progress">
          {counted(queries, "query", "queries")} of {judging.items.length}; {counted(answers.size, "answer")} kept
        </p>
        {item && document ? (
          <div aria-live="polite">
            <p class="asked">{item.query}</p>
            <p data-testid="judge-document">
              {document.title && <b>{document.title} </b>}
              {document.text}
            </p>
          </div>
        ) : (
          <p>That was the last one.</p>
        )}
        <p class="buttons">
          {ANSWERS.map(([relevance, name, letter]) => (
            <button
              key={relevance}
              type="button"
              data-testid={`judge-${relevance}`}
              disabled={!document}
              aria-pressed={question && answeredAt(question) === relevance}
              aria-keyshortcuts={letter}
              onClick={() => answer(relevance)}
            >
              {name} <kbd>{letter}</kbd>
            </button>
          ))}
          <button type="button" data-testid="judge-back" disabled={at === 0} onClick={() => setAt(at - 1)}>
            Back
          </button>
          <button type="button" data-testid="judge-verdict" disabled={answers.size === 0} onClick={() => void decide()}>
            What does it come to?
          </button>
        </p>
      </fieldset>
      {result && <Verdict of={result} />}
    </div>
  );
}

const CONCLUSIONS = {
  better: "ranks better than the base model, by more than chance explains",
  unclear: "is not shown to differ from the base model; more answers may tell",
  worse: "ranks worse than the base model",
};

function Verdict({ of: { queries, base, tuned, ceiling } }: { of: JudgingVerdict }) {
  return (
    <div class={tuned.conclusion === "better" ? "verdict" : "verdict base"} role="status" data-testid="judge-result">
      <p>
        On {counted(queries, "query", "queries")} with a relevant document: base {metric(base)}, tuned{" "}
        {metric(tuned.mean)} ({difference(tuned.interval[0])} to {difference(tuned.interval[1])}). The tuned model{" "}
        {CONCLUSIONS[tuned.conclusion]}.
      </p>
      {ceiling && (
        <p>
          The cross-encoder: {metric(ceiling.mean)}. It {CONCLUSIONS[ceiling.conclusion]}.
        </p>
      )}
    </div>
  );
}
