import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort, type Judging, type JudgingAnswer, type Report } from "querytune";
import { count, counted, score } from "../format.js";
import { reportChanged } from "../job.js";
import { tells } from "../judging.js";
import { type Outcome, outcome } from "../outcome.js";
import { ErrorBox } from "../parts/error-box.js";
import { DOCUMENTS, ENOUGH, Questions } from "../parts/questions.js";
import { ResultOf } from "../parts/result-of.js";
import { Section } from "../parts/section.js";
import { save } from "../save.js";
import { noteFailure } from "../session.js";

const STATES = {
  better: "tuned is better",
  worse: "tuned is worse",
  "no-difference-shown": "no difference shown",
};

function standing(report: Report | undefined): string {
  if (!report) return "no result yet";
  return tells(report.judging) ? STATES[report.judging.tuned.conclusion] : "no verdict yet";
}

/** What the answers are beside the figures that are there. */
function telling(report: Report | undefined): string {
  return report?.evaluation.on === "own queries"
    ? ". Your judgements say it, too, of those they are about"
    : "; no other figure of this page says it";
}

/** A person's answers in the place of judgements. */
export function JudgeSection() {
  const result = outcome.value;
  const report = result?.run.report;
  const body = result && <Begin key={result.run} outcome={result} />;
  return (
    <Section
      number={7}
      title="Judge"
      state={standing(report)}
      sentence={`Is your own log ranked better now? Say of a few documents for some ${ENOUGH} queries whether they fit${telling(report)}.`}
    >
      {!result && <p class="quiet">There is nothing to judge yet: run a job first.</p>}
      <ResultOf testid="judge-of" />
      {report?.evaluation.judged ? (
        <details data-testid="judge-more">
          <summary>You gave judgements; judge some of the log’s queries besides</summary>
          {body}
        </details>
      ) : (
        body
      )}
      <details data-testid="judge-how">
        <summary>How queries are chosen, and how the verdict comes about</summary>
        <dl class="facts">
          <dt>Queries</dt>
          <dd>
            Drawn at random from those whose first ten documents are not the same by base model, tuned model and
            cross-encoder: of the others no answer could tell.
          </dd>
          <dt>Documents</dt>
          <dd>Up to {count(DOCUMENTS)} of each query, those whose ranks in the three rankings differ most.</dd>
          <dt>Blind</dt>
          <dd>They come in random order, and nothing tells which model found them, or how high.</dd>
          <dt>Verdict</dt>
          <dd>
            The nDCG@10 of each ranking, on queries that were answered in full and have a relevant document; documents
            that were not asked about count as not relevant. Tuned model and cross-encoder are each held against the
            base model. Below p = {score(0.05)} one is called better or worse; else no difference is shown, which is not
            the same as none. Where the tuned model is worse, the base model is delivered.
          </dd>
          <dt>When to ask for it</dt>
          <dd>
            When all is answered: who looks after every few answers, and stops at the first that is welcome, takes
            chance for a difference more often than p says.
          </dd>
        </dl>
      </details>
    </Section>
  );
}

/** Ranks the log when it is asked for, and goes on with the questions. */
function Begin({ outcome: { run } }: { outcome: Outcome }) {
  const [opened, setOpened] = useState<{ judging: Judging; answered: JudgingAnswer[] }>();
  const [progress, setProgress] = useState<{ done: number; total: number }>();
  const [error, setError] = useState<unknown>();
  const controller = useRef<AbortController>(undefined);
  const judging = useRef<Judging>(undefined);
  useEffect(
    () => () => {
      controller.current?.abort();
      judging.current?.dispose();
    },
    [],
  );
  const begin = async () => {
    controller.current = new AbortController();
    const { signal } = controller.current;
    setError(undefined);
    setProgress({ done: 0, total: 1 });
    try {
      const made = await run.judging({
        queries: ENOUGH,
        documents: DOCUMENTS,
        signal,
        onProgress: (event) => event.stage === "evaluate" && setProgress(event),
      });
      judging.current = made;
      const answered = await made.answers();
      setOpened({ judging: made, answered });
    } catch (thrown) {
      noteFailure(thrown);
      if (!isAbort(thrown)) setError(thrown);
    }
    setProgress(undefined);
  };
  return (
    <>
      {!opened && (
        <>
          <p>
            Both models and the cross-encoder rank the queries of your log; you are asked where they disagree. The tuned
            model was trained on these queries, as it will have been on most of tomorrow’s. They are {count(ENOUGH)}{" "}
            queries and {count(DOCUMENTS)} documents of each at most: up to {counted(ENOUGH * DOCUMENTS, "answer")}, by
            a key each.
          </p>
          <p class="buttons">
            <button type="button" data-testid="judge-start" disabled={!!progress} onClick={() => void begin()}>
              Judge some queries
            </button>
            {progress && (
              <>
                <progress aria-label="The log’s queries are ranked" max={progress.total} value={progress.done} />
                <button type="button" onClick={() => controller.current?.abort()}>
                  Stop
                </button>
              </>
            )}
            <span class="quiet" role="status">
              {progress && "Ranking the log’s queries …"}
            </span>
          </p>
        </>
      )}
      <ErrorBox error={error} testid="error-judge-start" />
      {opened && opened.judging.items.length === 0 && (
        <p role="status" data-testid="judge-nothing">
          Base model, tuned model and cross-encoder rank all queries of your log the same: there is nothing to judge.
        </p>
      )}
      {opened && opened.judging.items.length > 0 && (
        <Questions
          {...opened}
          report={() => run.report}
          onFailure={noteFailure}
          onVerdict={() => void reportChanged()}
          onSave={(qrels) => save(new Blob([qrels], { type: "text/tab-separated-values" }), "judgements.tsv")}
        />
      )}
    </>
  );
}
