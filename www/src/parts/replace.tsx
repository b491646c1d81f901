import { named } from "../choice.js";
import { asking, goOn, start } from "../job.js";
import type { Job } from "../jobs.js";
import { outcome } from "../outcome.js";

interface Props {
  /** The job that is gone on with in its place; without it a new one. */
  job?: Job;
  onError?: (error: unknown) => void;
}

/** Asks before a job takes the place of a result that was not downloaded. */
export function Replace({ job, onError }: Props) {
  const result = outcome.value;
  const asked = asking.value;
  if (!result || !asked || asked.job?.id !== job?.id) return null;
  return (
    <section class="notice" aria-label="The result was not downloaded" data-testid="replace">
      <p role="alert">
        <b>The result of {named(result.of)} was not downloaded.</b> Its model is not stored on this computer and is gone
        once another job starts.
      </p>
      <p class="buttons">
        <button
          type="button"
          data-testid="replace-yes"
          onClick={() => void (job ? goOn(job) : start()).catch((thrown) => onError?.(thrown))}
        >
          Start without downloading it
        </button>
        <button
          type="button"
          data-testid="replace-no"
          onClick={() => {
            asking.value = undefined;
          }}
        >
          Keep the result
        </button>
      </p>
    </section>
  );
}
