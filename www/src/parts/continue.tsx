import { useState } from "preact/hooks";
import { count, counted, date } from "../format.js";
import { busy, goOn, state } from "../job.js";
import { forget, type Job, jobs } from "../jobs.js";
import { elsewhere } from "../locks.js";
import { ErrorBox } from "./error-box.js";
import { leadTo } from "./section.js";

/** Offers to go on with a job whose files were kept, after the page was loaded anew. */
export function Continue() {
  const [error, setError] = useState<unknown>();
  const [left, setLeft] = useState(false);
  const job = jobs.value?.find((one) => one.files && one.state === "stopped" && !elsewhere.value.has(one.id));
  if (!job || left || busy.value || state.value !== "idle") return null;
  return (
    <section class="notice" aria-label="A job that is not finished" data-testid="continue">
      <p>
        <b>A job is not finished.</b> {described(job)}
      </p>
      <ErrorBox error={error} testid="error-continue" />
      <p class="buttons">
        <button
          type="button"
          class="primary"
          data-testid="continue-job"
          onClick={() => {
            setError(undefined);
            leadTo(4);
            void goOn(job).catch(setError);
          }}
        >
          Go on
        </button>
        <button
          type="button"
          data-testid="continue-later"
          onClick={() => {
            setLeft(true);
            leadTo(1);
          }}
        >
          Not now
        </button>
        <button
          type="button"
          data-testid="continue-forget"
          onClick={() => {
            leadTo(1);
            void forget(job.id);
          }}
        >
          Forget it and delete its files
        </button>
      </p>
    </section>
  );
}

function described({ names, begun, scored, total }: Job): string {
  const earlier = names.previous ? `, going on from ${names.previous}` : "";
  const files = `${names.queries} and ${names.documents}${earlier}`;
  const done = total > 0 ? `${count(scored)} of ${counted(total, "pair")} scored` : "nothing scored yet";
  return `${files}, begun ${date(begun)}: ${done}. Its files were kept in this browser.`;
}
