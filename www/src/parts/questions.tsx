import { useEffect, useRef, useState } from "preact/hooks";
import type { Judging, JudgingAnswer, JudgingVerdict, Relevance, Report } from "querytune";
import { count, counted, difference } from "../format.js";
import { leftOut, numbers, ofCrossEncoder, ofTuned, tells } from "../judging.js";
import { withoutTitle } from "../text.js";
import { ErrorBox } from "./error-box.js";

/** Queries that are enough for a verdict in most cases. */
export const ENOUGH = 50;
/** Documents of one query that are asked about at most. */
export const DOCUMENTS = 6;
const KEYS: Record<string, Relevance | null> = { "0": 0, n: 0, "1": 1, s: 1, "2": 2, y: 2, x: null };
const ANSWERS: [relevance: Relevance | null, name: string, letter: string][] = [
  [2, "Answers it", "Y"],
  [1, "Somewhat", "S"],
  [0, "Does not", "N"],
  [null, "Cannot say", "X"],
];

/** A document's place in the order of the questions. */
interface Question {
  item: number;
  place: number;
}

const key = (query: number | undefined, document: number | undefined) => `${query} ${document}`;

interface Props {
  judging: Pick<Judging, "items" | "answer" | "verdict" | "toQrels">;
  /** Answers of an earlier visit. */
  answered: readonly JudgingAnswer[];
  /** The run's report as it is now. */
  report: () => Report | undefined;
  /** Called when the report has a verdict more. */
  onVerdict: () => void;
  onSave: (qrels: string) => void;
  onFailure: (error: unknown) => void;
}

/**
 * Quick judging: one document at a time, by a single key, without a sign of which model found it. Backspace goes one
 * back; every answer is kept at once.
 */
export function Questions({ judging, answered, report, onVerdict, onSave, onFailure }: Props) {
  const { items } = judging;
  const [all] = useState(() =>
    items.flatMap(({ documents }, item) => documents.map((_, place): Question => ({ item, place }))),
  );
  const [answers, setAnswers] = useState<ReadonlyMap<string, Relevance | null>>(
    () => new Map(answered.map(({ query, document, relevance }) => [key(query, document), relevance])),
  );
  const answerAt = ({ item, place }: Question) =>
    answers.get(key(items[item]?.query, items[item]?.documents[place]?.document));
  const [at, setAt] = useState(() => {
    const open = all.findIndex((question) => answerAt(question) === undefined);
    return open < 0 ? all.length : open;
  });
  const [result, setResult] = useState<JudgingVerdict>();
  const [error, setError] = useState<unknown>();
  const box = useRef<HTMLFieldSetElement>(null);
  const question = all[at];
  const item = question && items[question.item];
  const document = item?.documents[question?.place ?? 0];
  const failed = (thrown: unknown) => {
    onFailure(thrown);
    setError(thrown);
  };

  const answer = (relevance: Relevance | null) => {
    if (!item || !document) return;
    setAnswers(new Map(answers).set(key(item.query, document.document), relevance));
    setAt(at + 1);
    judging.answer(item.query, document.document, relevance).catch(failed);
  };
  const decide = async () => {
    try {
      const verdict = await judging.verdict();
      setError(undefined);
      setResult(verdict);
      onVerdict();
    } catch (thrown) {
      failed(thrown);
    }
  };
  // The keys work as soon as the questions are there.
  useEffect(() => box.current?.focus(), []);
  // Who has answered all wants to know.
  useEffect(() => {
    if (at === all.length) void decide();
  }, [at]);

  return (
    <div data-testid="judge">
      <p>
        Say of each document whether it answers the query. You do not see which model found it. Keys: <kbd>Y</kbd>{" "}
        answers it, <kbd>S</kbd> somewhat, <kbd>N</kbd> does not, <kbd>X</kbd> cannot say, <kbd>Backspace</kbd> one
        back. Every answer is kept at once; stop and go on when you like. It is {counted(all.length, "answer")} at most.
        About {count(ENOUGH)} queries tell.
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
          // A key that is held answers once, Enter on a button too: nobody has read the documents behind the first.
          const isHeld = event.repeat && (relevance !== undefined || event.key === "Enter");
          if (isHeld) event.preventDefault();
          else if (relevance !== undefined) answer(relevance);
          else if (event.key === "Backspace" && at > 0) setAt(at - 1);
          else return;
          event.preventDefault();
        }}
      >
        <p class="quiet" role="status" data-testid="judge-progress">
          {question && item
            ? `Query ${count(question.item + 1)} of ${count(items.length)}, document ${count(question.place + 1)} of ${count(item.documents.length)}`
            : `Through all ${counted(items.length, "query", "queries")}`}
          ; {counted(answers.size, "answer")} kept
        </p>
        {item && document ? (
          <div aria-live="polite">
            <p class="asked">{item.text}</p>
            <p class="document" data-testid="judge-document">
              {document.title && <b>{document.title} </b>}
              {withoutTitle(document)}
            </p>
          </div>
        ) : (
          <p>That was the last one.</p>
        )}
        <p class="buttons">
          {ANSWERS.map(([relevance, name, letter]) => (
            <button
              key={letter}
              type="button"
              data-testid={`judge-${relevance ?? "skip"}`}
              disabled={!document}
              aria-pressed={question && answerAt(question) === relevance}
              aria-keyshortcuts={letter}
              onClick={() => answer(relevance)}
            >
              {name} <kbd>{letter}</kbd>
            </button>
          ))}
          <button type="button" data-testid="judge-back" disabled={at === 0} onClick={() => setAt(at - 1)}>
            Back
          </button>
        </p>
        <p class="buttons">
          <button type="button" data-testid="judge-verdict" disabled={answers.size === 0} onClick={() => void decide()}>
            What does it come to?
          </button>
          <button
            type="button"
            data-testid="judge-save"
            disabled={answers.size === 0}
            onClick={() => void judging.toQrels().then(onSave, failed)}
          >
            Save the answers
          </button>
          <span class="quiet">
            <code>judgements.tsv</code>, to be given as judgements to any later job; it is in artifact.zip too
          </span>
        </p>
      </fieldset>
      {result && <Verdict of={result} report={report()} />}
    </div>
  );
}

function Verdict({ of, report }: { of: JudgingVerdict; report: Report | undefined }) {
  const left = leftOut(of);
  if (!tells(of)) {
    return (
      <div class="verdict base" role="status" data-testid="judge-result" data-conclusion="none">
        <p>Nothing can be said yet: no query is answered in full with a relevant document. {left}</p>
      </div>
    );
  }
  const { conclusion, all } = of.tuned;
  const [low, high] = all.ci95;
  return (
    <div
      class={conclusion === "better" ? "verdict" : "verdict base"}
      role="status"
      data-testid="judge-result"
      data-conclusion={conclusion}
    >
      <p>
        <b>{ofTuned(of)}</b>
        {report?.fit.decidedBy === "judging" && " That is why the base model is delivered now."}
      </p>
      <p>{ofCrossEncoder(of)}</p>
      <p>{numbers(of)}</p>
      <p>
        Over all queries of the log, those that are ranked alike included, an estimated {difference(all.difference)} (
        {difference(low)} to {difference(high)}). {left}
      </p>
      <details>
        <summary>What these figures mean</summary>
        <p>{of.about}</p>
      </details>
    </div>
  );
}
