import { useEffect, useState } from "preact/hooks";
import { bytes, counted } from "../format.js";
import { busy, state } from "../job.js";
import { jobs } from "../jobs.js";
import { closed, refused, requests, SECOND_POLICY } from "../network.js";
import { offline, supervised } from "../offline.js";
import { outcome } from "../outcome.js";
import { ErrorBox } from "../parts/error-box.js";
import { History } from "../parts/history.js";
import { Question } from "../parts/question.js";
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
      state={closed.value ? `${counted(requests.value, "request")} since the models were loaded` : "network still open"}
      sentence="Your files, scores and models are in this browser only. See what is stored, and delete it."
    >
      <Network />
      <NetworkDetails />
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
            left this page since the models were loaded
            {refused.value > 0 && (
              <span data-testid="refused">; {counted(refused.value, "attempt was", "attempts were")} refused</span>
            )}
            . The browser refuses the page every connection, and every script, style sheet, image, font, medium and
            frame, from its own server as well, until it is loaded anew. Only the scripts of its workers may still come
            from there.
          </>
        ) : (
          "Open until the models are loaded; then the browser is told to refuse the page every connection."
        )}
        {supervised.value === false && (
          <p class="notice" data-testid="unsupervised">
            No service worker was in control of this page when the engine was started. Requests of the engine’s workers
            are not in this count, and they have a policy of their own only if the server sends one with their script.
          </p>
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

/** The policies themselves, and what the count is of. */
function NetworkDetails() {
  const own = document.querySelector<HTMLMetaElement>("meta[http-equiv=Content-Security-Policy]")?.content;
  return (
    <details data-testid="network-more">
      <summary>What is refused, and what is counted</summary>
      <dl class="facts">
        {own && (
          <>
            <dt>From the start</dt>
            <dd>
              <code>{own}</code>
            </dd>
          </>
        )}
        <dt>With the models</dt>
        <dd>
          <code>{SECOND_POLICY}</code>
        </dd>
        <dt>Counted</dt>
        <dd>
          Requests that the service worker passes on to the network, those of the engine’s workers among them; without a
          service worker, what the page itself loads. Refused attempts do not leave. A link that you follow is yours and
          is not counted.
        </dd>
      </dl>
    </details>
  );
}

interface StorageProps {
  of: Stored;
  run: (work: () => Promise<void>) => void;
}

function Storage({ of, run }: StorageProps) {
  const { usage, quota, persisted, models, shell, files, databases } = of;
  const [asked, setAsked] = useState(false);
  const scores = databases === undefined ? undefined : Math.max(0, databases - files);
  const remembered = counted(jobs.value?.length ?? 0, "job");
  const rows: Row[] = [
    {
      testid: "models",
      name: "Models",
      size: `${counted(models.files, "file")}, ${bytes(models.bytes)} (cache storage)`,
      work: deleteModels,
    },
    {
      testid: "scores",
      name: "Vectors, scores, your answers",
      size: scores === undefined ? "size not told (IndexedDB)" : `about ${bytes(scores)} (IndexedDB)`,
      work: deleteScores,
      loss: `The scores of all jobs go (${remembered} in the list), and your answers under Judge: the next job scores anew, and the answers only you can give again.`,
    },
    {
      testid: "jobs",
      name: "Jobs and kept files",
      size: `${remembered}, files ${bytes(files)} (IndexedDB)`,
      work: deleteJobs,
      loss: `Report and adapter of each job go (${remembered}), and the files of those that are not finished.`,
    },
    {
      testid: "page",
      name: "This page, for use offline",
      size: `${counted(shell.files, "file")}, ${bytes(shell.bytes)} (cache storage)`,
      work: deletePage,
    },
  ];
  return (
    <>
      <ul class="jobs" data-testid="storage">
        {rows.map((row) => (
          <StoredRow key={row.testid} of={row} run={run} />
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
        <button type="button" data-testid="delete-all" disabled={busy.value} onClick={() => setAsked(true)}>
          Delete everything
        </button>
        {outcome.value && <span class="quiet">Download the result first: it is not stored.</span>}
      </p>
      {asked && (
        <Question
          label="Delete everything"
          testid="delete-all-asked"
          yes="Delete everything"
          no="Keep it"
          disabled={busy.value}
          onYes={() => {
            setAsked(false);
            run(deleteAll);
          }}
          onNo={() => setAsked(false)}
        >
          <b>This cannot be undone.</b> {remembered} with report and adapter, kept files, all scores and your answers
          go, and the models with the page itself, which are fetched again when they are needed.
        </Question>
      )}
    </>
  );
}

interface Row {
  testid: string;
  name: string;
  size: string;
  work: () => Promise<void>;
  /** What cannot be had again by another download: it is asked first. */
  loss?: string;
}

function StoredRow({ of: { testid, name, size, work, loss }, run }: { of: Row; run: StorageProps["run"] }) {
  const [asked, setAsked] = useState(false);
  return (
    <li data-testid={`stored-${testid}`}>
      <div>
        <b>{name}</b>
        <br />
        <span class="quiet">{size}</span>
        {asked && (
          <Question
            label={`Delete: ${name}`}
            testid={`delete-${testid}-asked`}
            yes="Delete"
            no="Keep"
            disabled={busy.value}
            onYes={() => {
              setAsked(false);
              run(work);
            }}
            onNo={() => setAsked(false)}
          >
            <b>This cannot be undone.</b> {loss}
          </Question>
        )}
      </div>
      <p class="buttons">
        <button
          type="button"
          data-testid={`delete-${testid}`}
          disabled={busy.value}
          onClick={() => (loss ? setAsked(true) : run(work))}
        >
          Delete<span class="hidden">: {name}</span>
        </button>
      </p>
    </li>
  );
}
