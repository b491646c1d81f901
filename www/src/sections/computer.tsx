import { useEffect, useState } from "preact/hooks";
import { bytes, counted } from "../format.js";
import { busy, outcome, state } from "../job.js";
import { jobs } from "../jobs.js";
import { closed, refused, requests } from "../network.js";
import { offline } from "../offline.js";
import { ErrorBox } from "../parts/error-box.js";
import { History } from "../parts/history.js";
import { Section } from "../parts/section.js";
import {
  deleteAll,
  deleteJobs,
  deleteModels,
  deletePage,
  deleteScores,
  look,
  persist,
  type Stored,
  stored,
} from "../storage.js";

/** What stays on this computer, and the proof that it stays there. */
export function ComputerSection() {
  const [error, setError] = useState<unknown>();
  // A look whenever something may have been added.
  useEffect(() => {
    void look();
  }, [state.value, jobs.value, offline.value]);
  const run = (work: () => Promise<void>) => {
    setError(undefined);
    work()
      .catch(setError)
      .finally(() => void look());
  };
  return (
    <Section
      number={9}
      title="On this computer"
      state={closed.value ? `${counted(requests.value, "request")} since the models are there` : ""}
      sentence="Your files, scores and models are in this browser only. See what is stored, and delete it."
    >
      <Network />
      <History />
      <h3>Stored in this browser</h3>
      <ErrorBox error={error} testid="error-storage" />
      {stored.value && <Storage of={stored.value} run={run} />}
    </Section>
  );
}

function Network() {
  return (
    <dl class="facts" data-testid="network">
      <dt>Network</dt>
      <dd>
        {closed.value ? (
          <>
            <b data-testid="requests" data-count={requests.value}>
              {counted(requests.value, "request")}
            </b>{" "}
            left this page since the models are there
            {refused.value > 0 && (
              <span data-testid="refused">; {counted(refused.value, "attempt was", "attempts were")} refused</span>
            )}
            . The page has given up its right to connect to anything, its own server included, until it is loaded anew.
          </>
        ) : (
          "Open until the models are there; then the page gives up its right to connect to anything."
        )}
      </dd>
      <dt>Offline</dt>
      <dd data-testid="offline" data-ready={offline.value}>
        {offline.value
          ? "This page opens without a network from now on, and the models that were loaded are kept."
          : "This page is not kept in the browser, or not yet: it opens while the network is there."}
      </dd>
    </dl>
  );
}

interface StorageProps {
  of: Stored;
  run: (work: () => Promise<void>) => void;
}

function Storage({ of, run }: StorageProps) {
  const { usage, quota, persisted, models, shell, files, databases } = of;
  const scores = databases === undefined ? undefined : Math.max(0, databases - files);
  const rows: [testid: string, name: string, size: string, work: () => Promise<void>][] = [
    ["models", "Models", `${counted(models.files, "file")}, ${bytes(models.bytes)} (cache storage)`, deleteModels],
    [
      "scores",
      "Vectors, scores, your answers",
      scores === undefined ? "size not told (IndexedDB)" : `about ${bytes(scores)} (IndexedDB)`,
      deleteScores,
    ],
    [
      "jobs",
      "Jobs and kept files",
      `${counted(jobs.value?.length ?? 0, "job")}, files ${bytes(files)} (IndexedDB)`,
      deleteJobs,
    ],
    [
      "page",
      "This page, for use offline",
      `${counted(shell.files, "file")}, ${bytes(shell.bytes)} (cache storage)`,
      deletePage,
    ],
  ];
  return (
    <>
      <ul class="jobs" data-testid="storage">
        {rows.map(([testid, name, size, work]) => (
          <li key={testid} data-testid={`stored-${testid}`}>
            <div>
              <b>{name}</b>
              <br />
              <span class="quiet">{size}</span>
            </div>
            <p class="buttons">
              <button type="button" data-testid={`delete-${testid}`} disabled={busy.value} onClick={() => run(work)}>
                Delete<span class="hidden">: {name}</span>
              </button>
            </p>
          </li>
        ))}
      </ul>
      <p class="quiet">
        {usage !== undefined && `All of it: ${bytes(usage)}`}
        {quota !== undefined && ` of ${bytes(quota)} that the browser allows`}
        {usage !== undefined && ". "}
        {persisted
          ? "The browser will not clear it away on its own."
          : "The browser may clear it away when the disk gets full."}
      </p>
      <p class="buttons">
        {!persisted && (
          <button type="button" data-testid="persist" onClick={() => run(persist)}>
            Ask the browser to keep it
          </button>
        )}
        <button type="button" data-testid="delete-all" disabled={busy.value} onClick={() => run(deleteAll)}>
          Delete everything
        </button>
        {outcome.value && <span class="quiet">Download the result first: it is not stored.</span>}
      </p>
    </>
  );
}
