import { busy, compareAgain, state } from "../job.js";
import type { Outcome } from "../outcome.js";
import { isWorthwhile } from "../unjudged.js";
import { ErrorBox } from "./error-box.js";
import { leadTo } from "./section.js";

/** Says why there are no judged figures although there are judgements, and offers to compare again. */
export function NotJudged({ outcome: { unjudged, of } }: { outcome: Outcome }) {
  if (!unjudged) return null;
  const { error } = unjudged;
  return (
    <div class="notice" data-testid="unjudged">
      <p role="status">
        <b>
          {error ? "The comparison by your judgements has failed." : "The comparison by your judgements was stopped."}
        </b>{" "}
        The trained model is kept, with its agreement only: no judgement has decided what is delivered.
      </p>
      <ErrorBox error={error} testid="error-compare" />
      {isWorthwhile(unjudged) ? (
        <p class="buttons">
          <button
            type="button"
            data-testid="compare-again"
            disabled={busy.value}
            onClick={() => {
              // The button cannot be pressed meanwhile; how far it is, and Cancel, are there.
              leadTo(4);
              void compareAgain();
            }}
          >
            Compare again
          </button>
          <span class="quiet">
            {state.value === "comparing" ? "Comparing …" : `By ${of.files.qrels?.name}. Nothing is trained anew.`}
          </span>
        </p>
      ) : (
        <p class="quiet">Choose other judgements and start again: nothing is scored twice.</p>
      )}
    </div>
  );
}
