import { useEffect, useRef, useState } from "preact/hooks";
import { type Amount, amount, depthInTime, left, secondsLeft } from "../amount.js";
import { complete, reading } from "../data.js";
import { about, bytes, count, counted, date, metric, rate } from "../format.js";
import { former, print, speedHere, unmeasured } from "../former.js";
import { busy, cancel, measure, measureError, state } from "../job.js";
import type { Job } from "../jobs.js";
import { memory, type Speed, speed } from "../measurement.js";
import { ByWords } from "../parts/by-words.js";
import { ErrorBox } from "../parts/error-box.js";
import { NumberField } from "../parts/number-field.js";
import { Section } from "../parts/section.js";
import { Training } from "../parts/training.js";
import { current, stages } from "../progress.js";
import { candidates, depth, method, minutes, models, timed } from "../settings.js";
import { NAMES } from "../stages.js";
import { inTenths, isOpen, numbers } from "../standing.js";

/** How much is to be scored, and how long that takes here. */
export function PlanSection() {
  const job = amount.value;
  const known = speedHere.value;
  const ready = complete.value && models.value !== undefined && !reading.value;
  return (
    <Section
      number={3}
      title="Plan"
      state={summary()}
      sentence="Choose how much the cross-encoder scores: by far the longest part, and the one that decides how much can be learned."
    >
      <fieldset class="plain" disabled={busy.value}>
        <legend class="hidden">How much is scored</legend>
        <div class="slider">
          <label for="depth-slider">Candidates of each query that are scored</label>
          <input
            id="depth-slider"
            type="range"
            min={1}
            max={Math.max(1, Math.min(100, job?.most ?? candidates.value))}
            data-testid="depth-slider"
            value={depth.value}
            onInput={(event) => {
              depth.value = event.currentTarget.valueAsNumber;
            }}
          />
          <NumberField
            label="Candidates that are scored, as a number"
            hidden
            testid="depth"
            value={depth}
            max={candidates.value}
          />
        </div>
        <p class="quiet">
          On SciFact, a public test set with judgements, the default of 20 brought nDCG@10 from {metric(0.6452)} to{" "}
          {metric(0.6893)}, half as many to {metric(0.6832)}. More may help where good documents stand far down.
        </p>
        <ByWords />
        <p data-testid="plan">{job ? toScore(job) : reading.value ? READING : "Choose queries and documents first."}</p>
        {job && unmeasured.value && (
          <p class="notice" role="status" data-testid="unmeasured" data-why={unmeasured.value}>
            The time is not known: {UNMEASURED[unmeasured.value]}. Measure again.
          </p>
        )}
        {job && known && <Estimate of={known} former={former.value} />}
      </fieldset>
      <Measure ready={ready} />
      <fieldset class="plain" disabled={busy.value}>
        <legend class="hidden">Time and training</legend>
        <Budget of={known} />
        <Training />
        <details>
          <summary data-testid="more-choices">More choices</summary>
          <div class="fields">
            <NumberField label="Candidates for each query" testid="candidates" value={candidates} max={1000} />
          </div>
          <p class="quiet">
            The nearest documents that are taken for each query; those not scored count as known to be further down. 100
            is what the method was published with.
          </p>
        </details>
      </fieldset>
    </Section>
  );
}

const READING = "A file is still being read.";

/** Measures this device, says how far that is, and can be stopped. */
function Measure({ ready }: { ready: boolean }) {
  const [ended, setEnded] = useState("");
  const measureButton = useRef<HTMLButtonElement>(null);
  const stopButton = useRef<HTMLButtonElement>(null);
  const isMeasuring = state.value === "measuring";
  const stage = isMeasuring ? current.value : undefined;
  const at = stage && stages.value[stage];
  // The pairs that are scored behind the models' stages have no end that is known.
  const isUnknown = stage !== undefined && at !== undefined && isOpen(stage, at);
  const isUnderWay = at !== undefined && (at.done < at.total || isUnknown);
  const begin = async () => {
    const before = speed.value;
    setEnded("");
    await measure();
    // An error is said by itself.
    if (!measureError.value) setEnded(speed.value === before ? "Measuring was stopped." : "This device is measured.");
  };
  // Of the two buttons one is always out of use: the focus goes to the other.
  useEffect(() => {
    if (isMeasuring) stopButton.current?.focus();
    else if (!busy.value && document.activeElement === document.body) measureButton.current?.focus();
  }, [isMeasuring, busy.value]);
  return (
    <>
      <p class="buttons">
        <button
          type="button"
          ref={measureButton}
          data-testid="measure"
          disabled={!ready || busy.value}
          onClick={() => void begin()}
        >
          {speed.value ? "Measure again" : "Measure this device"}
        </button>
        {isMeasuring && (
          <button type="button" ref={stopButton} data-testid="measure-cancel" onClick={() => void cancel()}>
            Stop measuring
          </button>
        )}
        <span class="quiet" data-testid="measure-stage">
          {!isMeasuring
            ? reading.value && !busy.value
              ? READING
              : "Scores a few of your pairs for some ten seconds. The first time the models are fetched before that."
            : stage && isUnderWay
              ? `${NAMES[stage][0]}: ${numbers(stage, at, false)}`
              : "Measuring …"}
        </span>
      </p>
      {isUnknown && <progress key="open" aria-label="Models" data-testid="measure-progress" />}
      {isUnderWay && !isUnknown && (
        <progress key="known" aria-label="Models" max={at.total} value={at.done} data-testid="measure-progress" />
      )}
      <p class="hidden" role="status" data-testid="measure-announcement">
        {stage && at ? inTenths(stage, at) : isMeasuring ? "" : ended}
      </p>
      <ErrorBox error={measureError.value} testid="error-measure" />
    </>
  );
}

const UNMEASURED = {
  device: "another device was measured",
  models: "other models were measured",
  texts: "it was measured on other texts, much shorter or longer than these",
};

function summary(): string {
  const job = amount.value;
  if (!job) return reading.value ? "files are being read" : "needs data";
  const pairs = counted(job.pairs, "pair");
  return speedHere.value ? `${pairs}, about ${about(secondsLeft(speedHere.value, job, former.value))}` : pairs;
}

function toScore({ pairs, queries, earlier, depth, bm25, known }: Amount): string {
  const isBound = bm25 > 0 || earlier > 0;
  const bound = timed.value ? (isBound ? ", or more in the time" : " at least") : isBound ? " at most" : "";
  const of = earlier > 0 ? ` (${count(earlier)} of the earlier run, some of them perhaps in both logs)` : "";
  const besides = bm25 > 0 ? `, and up to ${counted(bm25, "document")} by BM25` : "";
  const each = `${counted(queries, "query", "queries")}${of}, ${counted(depth, "candidate")} each`;
  const before = known > 0 ? ` Up to ${count(known)} of them were scored in the earlier run.` : "";
  return `${counted(pairs, "pair")} to score${bound}: ${each}${besides}.${before}`;
}

function Estimate({ of, former }: { of: Speed; former: Job | undefined }) {
  const job = amount.value;
  if (!job) return null;
  const open = left(job, former);
  return (
    <dl class="facts" data-testid="estimate">
      <dt>Time</dt>
      <dd>
        <b>about {about(secondsLeft(of, job, former))}</b>
        {method.value === "lora"
          ? " and far longer for training"
          : of.tunePerQuery === undefined && " and a little for training"}
        {open.pairs < job.pairs &&
          `; ${job.known > 0 ? "up to " : ""}${counted(job.pairs - open.pairs, "pair is", "pairs are")} scored already`}
      </dd>
      <dt>Memory</dt>
      <dd>
        about {bytes(memory(of, job.queries + job.documents, job.files))}
        {method.value === "lora" && " and more for training"}
      </dd>
      <dt>Measured</dt>
      <dd class="quiet">
        {rate(of.pairsPerSecond)} pairs and {rate(of.textsPerSecond)} texts a second on {of.device};{" "}
        {of.job ? "a whole job" : "a few pairs"}{" "}
        {of.of.files === print.value ? "of these files" : "of other texts, about as long as these"}, {date(of.at)}
      </dd>
    </dl>
  );
}

/** The time somebody has: what fits into it as far as is known, and whether scoring keeps to it. */
function Budget({ of }: { of: Speed | undefined }) {
  const job = amount.value;
  const fits = job && of && depthInTime(of, job);
  return (
    <>
      <div class="budget">
        <NumberField label="Minutes I have" testid="minutes" value={minutes} max={10_000} />
        {job && fits !== undefined && (
          <>
            <p data-testid="budget">
              {fits > 0
                ? `In ${counted(minutes.value, "minute")} this device can score ${fits === job.most ? "all " : ""}${counted(fits, "candidate")} of each query.`
                : `In ${counted(minutes.value, "minute")} this device cannot score a candidate of each query. Take more time, or fewer queries.`}
            </p>
            <button
              type="button"
              data-testid="take-budget"
              disabled={fits === 0 || fits === depth.value}
              onClick={() => {
                depth.value = fits;
              }}
            >
              Score {count(Math.max(1, fits))}
            </button>
          </>
        )}
      </div>
      <label class="choice">
        <input
          type="checkbox"
          data-testid="timed"
          checked={timed.value}
          onChange={(event) => {
            timed.value = event.currentTarget.checked;
          }}
        />
        <span>
          Score {count(depth.value)} in any case, and as many more as fit into these minutes{" "}
          <span class="quiet">– of every query equally many; a second run goes on from there</span>
        </span>
      </label>
    </>
  );
}
