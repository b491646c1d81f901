import { useRef, useState } from "preact/hooks";
import { count, counted, date, metric } from "../format.js";
import { ask, asking, busy, running } from "../job.js";
import { forget, type Job, jobs } from "../jobs.js";
import { tells } from "../judging.js";
import { elsewhere } from "../locks.js";
import { json, save } from "../save.js";
import { ErrorBox } from "./error-box.js";
import { Question } from "./question.js";
import { Replace } from "./replace.js";
import { leadTo } from "./section.js";

/** The jobs that this browser remembers. */
export function History() {
  const all = jobs.value ?? [];
  const heading = useRef<HTMLHeadingElement>(null);
  return (
    <>
      <h3 ref={heading} tabIndex={-1} data-testid="history-heading">
        Jobs
      </h3>
      {all.length === 0 && <p class="quiet">No job was run in this browser yet.</p>}
      {all.length > 0 && (
        <ul class="jobs" data-testid="history">
          {all.map((job) => (
            <JobRow key={job.id} job={job} onDelete={() => heading.current?.focus()} />
          ))}
        </ul>
      )}
    </>
  );
}

function JobRow({ job, onDelete }: { job: Job; onDelete: () => void }) {
  const [error, setError] = useState<unknown>();
  const [asked, setAsked] = useState(false);
  const { report, adapter, names } = job;
  // Jobs of earlier versions have one file without a name.
  const adapters = Array.isArray(adapter) ? adapter : [];
  const name = `${names.queries ?? "?"} and ${names.documents ?? "?"}`;
  const isElsewhere = elsewhere.value.has(job.id);
  const isHere = running.value === job.id;
  const isNeeded = isElsewhere || (busy.value && job.state === "stopped");
  return (
    <li data-testid="history-job" data-state={job.state}>
      <div>
        <b>{name}</b> <span class="quiet">{date(job.begun)}</span>
        <br />
        {isElsewhere ? "running in another tab" : result(job)}
        <ErrorBox error={error} testid="error-history" />
        <Replace job={job} onError={setError} />
        {asked && (
          <Question
            label={`Delete the job on ${name}`}
            testid="history-delete-asked"
            yes="Delete"
            no="Keep"
            disabled={isNeeded}
            onYes={() => {
              // The row goes with its button.
              onDelete();
              void forget(job.id);
            }}
            onNo={() => setAsked(false)}
          >
            <b>This cannot be undone.</b> {loss(job)}
          </Question>
        )}
      </div>
      <p class="buttons">
        {job.state === "stopped" && job.files && !isElsewhere && !isHere && (
          <button
            type="button"
            data-testid="history-go-on"
            disabled={busy.value}
            onClick={() => {
              setError(undefined);
              void ask(job).catch(setError);
              // The button goes once the job runs.
              if (!asking.value) leadTo(4);
            }}
          >
            Go on<span class="hidden"> with the job on {name}</span>
          </button>
        )}
        {report && (
          <button type="button" onClick={() => save(json(report), "report.json")}>
            Report<span class="hidden"> of {name}</span>
          </button>
        )}
        {adapters.map((file, i) => (
          <button
            key={file.name}
            type="button"
            onClick={() => save(new Blob([file.bytes as Uint8Array<ArrayBuffer>]), file.name)}
          >
            Adapter{adapters.length > 1 && ` ${i + 1}`}
            <span class="hidden">
              , {file.name}, of {name}
            </span>
          </button>
        ))}
        <button type="button" data-testid="history-delete" disabled={isNeeded} onClick={() => setAsked(true)}>
          Delete<span class="hidden"> the job on {name}</span>
        </button>
      </p>
    </li>
  );
}

/** What no download brings back. */
function loss({ report, files }: Job): string {
  if (report) return "Report and adapter of the job go: there is no other copy here. Its scores stay.";
  return files
    ? "The job goes with the files that were kept of it, and cannot be gone on with. Its scores stay."
    : "The account of the job goes. Its scores stay.";
}

function result({ id, report, scored, total, files }: Job): string {
  if (running.value === id) return "running";
  if (!report) {
    const kept = files ? "; its files are kept" : "";
    return total > 0
      ? `stopped at ${count(scored)} of ${counted(total, "pair")}${kept}`
      : `stopped before scoring${kept}`;
  }
  const { judged, agreement } = report.evaluation;
  const delivered = report.fit.delivered === "tuned" ? "tuned model delivered" : "base model delivered";
  const main = judged?.["ndcg@10"];
  if (main) return `${delivered}; nDCG@10 ${metric(main.base)} to ${metric(main.tuned)}`;
  if (tells(report.judging)) {
    const { base, tuned } = report.judging["ndcg@10"];
    return `${delivered}; by your answers nDCG@10 ${metric(base)} to ${metric(tuned)}`;
  }
  const { random } = agreement;
  return random ? `${delivered}; agreement ${metric(random.base)} to ${metric(random.tuned)}` : delivered;
}
