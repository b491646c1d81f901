import { useEffect } from "preact/hooks";
import { watchAttention } from "./attention.js";
import { Continue } from "./parts/continue.js";
import { CompareSection } from "./sections/compare.js";
import { ComputerSection } from "./sections/computer.js";
import { DataSection } from "./sections/data.js";
import { DeviceSection } from "./sections/device.js";
import { DownloadSection } from "./sections/download.js";
import { InsideSection } from "./sections/inside.js";
import { JudgeSection } from "./sections/judge.js";
import { PlanSection } from "./sections/plan.js";
import { RunSection } from "./sections/run.js";

/** The road from top to bottom. */
export function App() {
  useEffect(watchAttention, []);
  return (
    <>
      <header>
        <h1>querytune</h1>
        <p>
          Adapt a search model to your own domain from the search log you already have. No labels are needed, and your
          files stay on this computer.
        </p>
        <Continue />
      </header>
      <main>
        <DataSection />
        <DeviceSection />
        <PlanSection />
        <RunSection />
        <InsideSection />
        <CompareSection />
        <JudgeSection />
        <DownloadSection />
        <ComputerSection />
      </main>
      <footer>
        <p class="quiet">
          <a href="THIRD-PARTY-NOTICES.txt" target="_blank" rel="noreferrer" data-testid="notices">
            Works of others in this page, and their licences<span class="hidden"> (opens in a new tab)</span>
          </a>
        </p>
      </footer>
    </>
  );
}
