import { computed, type Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { complete, documents, queries } from "../data.js";
import { bytes, count, counted, duration, metric, percent, rate } from "../format.js";
import { fingerprint, former } from "../former.js";
import {
  busy,
  cancel,
  candidates,
  current,
  depth,
  error,
  STAGES,
  type Stage,
  type StageState,
  stages,
  start,
  state,
} from "../job.js";
import { ErrorBox } from "../parts/error-box.js";
import { Section } from "../parts/section.js";
import { models } from "../settings.js";

const NAMES: Record<Stage, [name: string, unit: string]> = {
  download: ["Get the models", ""],
  load: ["Load the models", "models"],
  "self-test": ["Check the device’s numbers", "checks"],
  encode: ["Turn texts into vectors", "texts"],
  search: ["Find candidates", "queries"],
  score: ["Score candidates", "pairs"],
  tune: ["Train the adapter", "steps"],
  evaluate: ["Compare", "queries"],
  artifact: ["Pack the download", "files"],
};

/** Pairs that will be scored. */
const pairs = computed(() => {
  const [log, corpus] = [queries.content.value?.texts, documents.content.value?.texts];
  return log && corpus ? log.length * Math.min(depth.value, candidates.value, corpus.length) : undefined;
});

/** Options, start and cancel, and how far it is. */
export function RunSection() {
  const running = state.value === "running";
  const ready = complete.value && models.value !== undefined;
  return (
    <Section
      number={3}
      title="Run"
      sentence="For each query the encoder finds candidates, the cross-encoder scores the first of them, and a small adapter learns from the scores."
    >
      <fieldset class="plain" disabled={busy.value}>
        <legend class="hidden">Options</legend>
        <div class="fields">
          <NumberField label="Candidates for each query" testid="candidates" value={candidates} max={1000} />
          <NumberField label="of which are scored" testid="depth" value={depth} max={candidates.value} />
        </div>
      </fieldset>
      <p class="quiet" data-testid="plan">
        {pairs.value === undefined
          ? "Choose queries and documents first."
          : `${counted(pairs.value, "pair")} to score. Scoring is by far the longest part; 20 for each query is enough for nearly all of the gain.`}
      </p>
      <Former />
      <p class="buttons">
        <button
          type="button"
          class="primary"
          data-testid="start"
          disabled={busy.value || !ready}
          onClick={() => void start()}
        >
          {state.value === "cancelled" || state.value === "failed" ? "Start again" : "Start"}
        </button>
        <button type="button" data-testid="cancel" disabled={!running} onClick={cancel}>
          Cancel
        </button>
        <span data-testid="job-state" data-state={state.value}>
          {STATES[state.value]}
        </span>
      </p>
      <ErrorBox error={error.value} testid="error-job" />
      {state.value !== "idle" && (
        <ol class="stages" aria-label="Stages">
          {STAGES.map((stage) => (
            <StageRow key={stage} stage={stage} />
          ))}
        </ol>
      )}
      <Announcement />
    </Section>
  );
}

const STATES = {
  idle: "",
  running: "Running. The page stays usable; keep it open.",
  cancelling: "Stopping …",
  cancelled: "Cancelled. What is scored is kept: start again to go on.",
  failed: "Stopped by an error. What is scored is kept.",
  done: "Done. The results are below.",
};

function NumberField({
  label,
  testid,
  value,
  max,
}: {
  label: string;
  testid: string;
  value: Signal<number>;
  max: number;
}) {
  return (
    <label>
      {label}
      <input
        type="number"
        min={1}
        max={max}
        data-testid={testid}
        value={value.value}
        onChange={(event) => {
          const input = event.currentTarget;
          if (input.checkValidity() && input.value !== "") value.value = input.valueAsNumber;
          else input.value = String(value.value);
        }}
      />
    </label>
  );
}

/** Says that a job on these files was begun before. */
function Former() {
  const [print, setPrint] = useState("");
  const [log, corpus] = [queries.file.value, documents.file.value];
  useEffect(() => {
    setPrint("");
    if (!log || !corpus) return;
    let wanted = true;
    fingerprint([log, corpus]).then(
      (found) => wanted && setPrint(found),
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [log, corpus]);
  const job = former.value;
  if (!job || job.fingerprint !== print || job.scored === 0 || state.value === "running" || state.value === "done") {
    return null;
  }
  return (
    <p class="notice" role="status" data-testid="former-job" data-scored={job.scored}>
      {job.finished
        ? `These files were run before: ${counted(job.scored, "pair")} already scored will not be scored again.`
        : `A former run on these files stopped: ${count(job.scored)} of ${counted(job.total, "pair")} already scored. Start goes on from there.`}
    </p>
  );
}

function StageRow({ stage }: { stage: Stage }) {
  const at = stages.value[stage];
  const [name, unit] = NAMES[stage];
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
      <progress
        aria-labelledby={`stage-${stage}`}
        max={at?.total || 1}
        value={finished ? at?.total || 1 : at ? at.done : 0}
      />
      <span class="numbers">
        {status === "waiting" && "waiting"}
        {status === "skipped" && "not needed"}
        {at && numbers(stage, at, unit, finished)}
      </span>
    </li>
  );
}

function numbers(stage: Stage, at: StageState, unit: string, finished: boolean): string {
  const parts: string[] = [];
  if (stage === "download") {
    parts.push(at.total > 0 ? `${bytes(at.done)} of ${bytes(at.total)}` : bytes(at.done));
    if (!finished && at.perSecond > 0) parts.push(`${bytes(at.perSecond)}/s`);
  } else {
    parts.push(`${count(at.done)} of ${count(at.total)} ${at.unit ?? unit}`);
    if (at.cached > 0) parts.push(`${count(at.cached)} kept from before`);
    if (at.perSecond > 0) parts.push(`${rate(at.perSecond)} a second`);
  }
  if (at.loss !== undefined && at.loss !== null) parts.push(`loss ${metric(at.loss)}`);
  const left = at.secondsLeft ?? 0;
  if (!finished && state.value === "running" && left >= 1) parts.push(`${duration(left)} left`);
  return parts.join(" · ");
}

/** Tells a screen reader of every stage and of every tenth of it; a word for each event would be too much. */
function Announcement() {
  const stage = current.value;
  const at = stage && stages.value[stage];
  let text = STATES[state.value];
  if (state.value === "running" && stage && at) {
    text = `${NAMES[stage][0]}: ${10 * Math.floor(percent(at.done, at.total) / 10)} %`;
  }
  return (
    <p class="hidden" aria-live="polite" data-testid="announcement">
      {text}
    </p>
  );
}
