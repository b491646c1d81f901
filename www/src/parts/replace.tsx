import { named } from "../choice.js";
import { asking, goOn, start } from "../job.js";
import type { Job } from "../jobs.js";
import { outcome } from "../outcome.js";
import { Question } from "./question.js";
import { leadTo } from "./section.js";

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
    <Question
      label="The result was not downloaded"
      testid="replace"
      yes="Start without downloading it"
      no="Keep the result"
      onYes={() => {
        // What it was asked by cannot be pressed while the job runs.
        leadTo(4);
        void (job ? goOn(job) : start()).catch((thrown) => onError?.(thrown));
      }}
      onNo={() => {
        asking.value = undefined;
      }}
    >
      <b>The result of {named(result.of)} was not downloaded.</b> Its model is not stored on this computer and is gone
      once another job starts.
    </Question>
  );
}
