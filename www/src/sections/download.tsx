import { useState } from "preact/hooks";
import type { Report } from "querytune";
import { whyBase } from "../delivered.js";
import { asking } from "../job.js";
import { type Offer, offers } from "../offers.js";
import { outcome, taken } from "../outcome.js";
import { ErrorBox } from "../parts/error-box.js";
import { ResultOf } from "../parts/result-of.js";
import { Section } from "../parts/section.js";
import { save } from "../save.js";
import { noteFailure } from "../session.js";

/** Which model artifact.zip has. */
function holds(report: Report): string {
  const { fit, judging } = report;
  const answers = judging ? " Your answers are in data/judgements.tsv." : "";
  if (fit.delivered === "tuned") return `The folder model in artifact.zip is the tuned model.${answers}`;
  return `The folder model in artifact.zip is the base model as it was: ${whyBase(report)}. What was trained is in the folder adapter.${answers}`;
}

/** The files to take away. */
export function DownloadSection() {
  const result = outcome.value;
  const [busy, setBusy] = useState("");
  const [error, setError] = useState<unknown>();
  const take = async (offer: Offer) => {
    if (!result) return;
    setBusy(offer.testid);
    setError(undefined);
    try {
      save(await offer.make(result), offer.file);
      if (offer.isModel && outcome.value?.run === result.run) {
        taken.value = true;
        asking.value = undefined;
      }
    } catch (thrown) {
      noteFailure(thrown);
      setError(thrown);
    }
    setBusy("");
  };
  return (
    <Section
      number={8}
      title="Download"
      state={result ? "ready" : "no result yet"}
      sentence="Take the model to where your search runs; each file comes with the lines that load it."
    >
      <ResultOf testid="download-of" />
      {result ? (
        <>
          <p data-testid="download-delivered" data-delivered={result.run.report.fit.delivered}>
            {holds(result.run.report)}
          </p>
          <p
            class={taken.value ? "quiet" : "notice"}
            role="status"
            data-testid="download-taken"
            data-taken={taken.value}
          >
            {taken.value
              ? "It was downloaded."
              : "The model is not stored on this computer until you download it; only the adapter and the report are kept, in the list of jobs."}
          </p>
        </>
      ) : (
        <p class="quiet">There is nothing to download yet: run a job first.</p>
      )}
      <ErrorBox error={error} testid="error-download" />
      <ul class="downloads">
        {offers(result?.run.report).map((offer) => (
          <li key={offer.testid}>
            <button
              type="button"
              class={offer.file === "artifact.zip" ? "primary" : ""}
              data-testid={offer.testid}
              disabled={!result || busy !== ""}
              onClick={() => void take(offer)}
            >
              {busy === offer.testid ? "Preparing …" : offer.name}
            </button>
            <div>
              <code>{offer.file}</code> <span class="quiet">{offer.meaning}</span>
              <details open={offer.file === "artifact.zip"}>
                <summary>
                  Load it<span class="hidden"> ({offer.file})</span>
                </summary>
                <Code of={offer.code} label={`Python for ${offer.file}`} />
                {offer.javascript && <Code of={offer.javascript} label={`JavaScript for ${offer.file}`} />}
              </details>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Code({ of, label }: { of: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard.
    <section class="scroll" tabIndex={0} aria-label={label}>
      <pre>
        <code>{of}</code>
      </pre>
    </section>
  );
}
