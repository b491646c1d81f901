import { askToNotify, mayNotify, notify } from "../attention.js";
import { named } from "../choice.js";
import { complete, reading } from "../data.js";
import { count, counted } from "../format.js";
import { former } from "../former.js";
import { ask, busy, cancel, error, pause, state, unkept } from "../job.js";
import { strangers } from "../judged.js";
import { elsewhere } from "../locks.js";
import { changed, lost, outcome } from "../outcome.js";
import { ErrorBox } from "../parts/error-box.js";
import { Replace } from "../parts/replace.js";
import { Section } from "../parts/section.js";
import { StageMeanings } from "../parts/stage-meanings.js";
import { current, hasScored, STAGES, type Stage, stages } from "../progress.js";
import { keeping, models, origin } from "../settings.js";
import { NAMES } from "../stages.js";
import { inTenths, isOpen, numbers, share } from "../standing.js";

/** Start, pause and cancel, and how far it is. */
export function RunSection() {
  const now = state.value;
  const ready = complete.value && models.value !== undefined && !strangers.value && !reading.value;
  return (
    <Section
      number={4}
      title="Run"
      state={short()}
      sentence="For each query the encoder finds candidates, the cross-encoder scores the first of them, and a small adapter learns from the scores."
    >
      <Elsewhere />
      <Former />
      <NotRun />
      <Lost />
      <label class="choice">
        <input
          type="checkbox"
          data-testid="keep-files"
          disabled={busy.value || origin.value === "folder"}
          checked={keeping.value && origin.value !== "folder"}
          onChange={(event) => {
            keeping.value = event.currentTarget.checked;
          }}
        />
        <span>
          Keep my files in this browser until the job is done{" "}
          <span class="quiet">
            –{" "}
            {origin.value === "folder" ? "not with models from folders, which have to be chosen again anyway" : KEEPING}
          </span>
        </span>
      </label>
      <NotifyChoice />
      {strangers.value && (
        <p class="notice" role="status" data-testid="strangers">
          The judgements are of none of these queries and documents: Data says which ids they name. Nothing is started
          with them.
        </p>
      )}
      <p class="buttons">
        <button
          type="button"
          class="primary"
          data-testid="start"
          disabled={busy.value || !ready}
          onClick={() => void ask()}
        >
          {now === "paused" ? "Resume" : now === "cancelled" || now === "failed" ? "Start again" : "Start"}
        </button>
        <button type="button" data-testid="pause" disabled={now !== "running"} onClick={pause}>
          Pause
        </button>
        <button
          type="button"
          data-testid="cancel"
          disabled={now !== "running" && now !== "paused" && now !== "comparing"}
          onClick={() => void cancel()}
        >
          Cancel
        </button>
        <span data-testid="job-state" data-state={now}>
          {standing()}
        </span>
        {reading.value && !busy.value && (
          <span class="quiet" data-testid="still-reading">
            A file is still being read: nothing is started before its end.
          </span>
        )}
      </p>
      <Replace />
      <ErrorBox error={error.value} testid="error-job" />
      {unkept.value && (
        <p class="notice" role="status" data-testid="unkept">
          There is no room to keep your files in this browser: do not close the page before the job is done.
        </p>
      )}
      {now !== "idle" && (
        <ol class="stages" aria-label="Stages">
          {STAGES.map((stage) => (
            <StageRow key={stage} stage={stage} />
          ))}
        </ol>
      )}
      <Announcement />
      <StageMeanings />
    </Section>
  );
}

const KEEPING =
  "then it goes on after the page was closed or has crashed; they are deleted when it is done or cancelled";

const STATES = {
  idle: "",
  measuring: "Measuring this device.",
  comparing: "Comparing again. The result below stays, whatever comes of it.",
  running: "Running. The page stays usable; keep it open.",
  pausing: "Stopping …",
  paused: "Paused. What is scored is kept: resume when you like.",
  cancelling: "Stopping …",
  cancelled: "Cancelled. What is scored is kept.",
  failed: "Stopped by an error.",
  done: "Done. The results are below.",
};

const UNJUDGED = "Done, but not compared by your judgements: Compare says why.";

/** What the job's state means for the person. */
function standing(): string {
  if (state.value === "done" && outcome.value?.unjudged) return UNJUDGED;
  return state.value === "failed" && hasScored.value ? `${STATES.failed} What is scored is kept.` : STATES[state.value];
}

function short(): string {
  const at = current.value && stages.value[current.value];
  switch (state.value) {
    case "idle":
      if (reading.value) return "files are being read";
      if (!complete.value) return "needs data";
      return models.value ? "not started" : "needs models";
    case "running":
    case "comparing":
    case "measuring":
      return current.value && at ? `${NAMES[current.value][0]}, ${share(current.value, at)}` : "starting";
    case "pausing":
    case "cancelling":
      return "stopping";
    case "done":
      return changed.value ? "not run since it was changed" : "done";
    default:
      return state.value;
  }
}

function NotifyChoice() {
  if (mayNotify.value === "absent") return null;
  return (
    <label class="choice">
      <input
        type="checkbox"
        data-testid="notify"
        disabled={mayNotify.value === "denied"}
        checked={notify.value}
        onChange={(event) => {
          const { checked } = event.currentTarget;
          notify.value = checked && mayNotify.value === "granted";
          if (checked && mayNotify.value !== "granted") {
            // Until it is allowed the box stays empty.
            event.currentTarget.checked = false;
            void askToNotify();
          }
        }}
      />
      <span>
        Tell me when it is done{" "}
        <span class="quiet">
          –{" "}
          {mayNotify.value === "denied"
            ? "your browser does not allow notifications of this page"
            : "by a notification, if this tab is not in front"}
        </span>
      </span>
    </label>
  );
}

/** Says that another tab is at work, with which a job of this one would share the device. */
function Elsewhere() {
  if (elsewhere.value.size === 0) return null;
  return (
    <p class="notice" role="status" data-testid="elsewhere">
      A job is running in another tab of this page. One that is started here makes both slower.
    </p>
  );
}

/** Says that a job on these files was begun before. */
function Former() {
  const job = former.value;
  if (!job || busy.value || state.value === "done" || state.value === "paused") return null;
  return (
    <p class="notice" role="status" data-testid="former-job" data-scored={job.scored}>
      {job.state === "done"
        ? `These files were run before: ${counted(job.scored, "pair")} already scored will not be scored again.`
        : `A former run on these files stopped: ${count(job.scored)} of ${counted(job.total, "pair")} already scored. The next start goes on from there.`}
    </p>
  );
}

/** Says that the result below is another's than that of what is chosen. */
function NotRun() {
  const result = outcome.value;
  if (!result || !changed.value) return null;
  return (
    <p class="notice" role="status" data-testid="not-run">
      {changed.value === "files" ? "The chosen files have" : "The chosen settings have"} not been run. The result below
      is that of {named(result.of)}, as it was run.
    </p>
  );
}

/** Says that a result is gone that was shown. */
function Lost() {
  if (!lost.value) return null;
  const { of, reason } = lost.value;
  return (
    <div class="error" role="alert" data-testid="result-lost">
      The result of {named(of)} is gone. {reason instanceof Error ? reason.message : String(reason)}
    </div>
  );
}

function StageRow({ stage }: { stage: Stage }) {
  const at = stages.value[stage];
  const [name] = NAMES[stage];
  const later = STAGES.slice(STAGES.indexOf(stage) + 1).some((next) => stages.value[next]);
  const finished = at !== undefined && (state.value === "done" || later || (at.total > 0 && at.done >= at.total));
  // Absent once later ones have begun: not needed this time.
  const skipped = at === undefined && (later || state.value === "done");
  const status = finished ? "finished" : skipped ? "skipped" : at ? "active" : "waiting";
  return (
    <li
      data-testid={`stage-${stage}`}
      data-status={status}
      data-done={at?.done}
      data-total={at?.total}
      data-cached={at?.cached}
    >
      <span class="name" id={`stage-${stage}`}>
        {name}
      </span>
      {status === "active" && at && isOpen(stage, at) ? (
        <progress key="open" aria-labelledby={`stage-${stage}`} />
      ) : (
        <progress
          key="known"
          aria-labelledby={`stage-${stage}`}
          max={at?.total || 1}
          value={finished ? at?.total || 1 : at ? at.done : 0}
        />
      )}
      <span class="numbers">
        {status === "waiting" && "waiting"}
        {status === "skipped" && (stage === "evaluate" ? "no judgements" : "not needed")}
        {at && numbers(stage, at, finished)}
      </span>
    </li>
  );
}

/** Tells a screen reader of every stage and of every tenth of it; a word for each event would be too much. */
function Announcement() {
  const stage = current.value;
  const at = stage && stages.value[stage];
  let text = standing();
  if ((state.value === "running" || state.value === "comparing") && stage && at) {
    text = inTenths(stage, at);
  }
  return (
    <p class="hidden" aria-live="polite" data-testid="announcement">
      {text}
    </p>
  );
}
