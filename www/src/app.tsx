import { DataSection } from "./sections/data.js";
import { DeviceSection } from "./sections/device.js";
import { DownloadSection } from "./sections/download.js";
import { InsideSection } from "./sections/inside.js";
import { RunSection } from "./sections/run.js";
import { TrySection } from "./sections/try.js";

/** The road from top to bottom. */
export function App() {
  return (
    <>
      <header>
        <h1>querytune</h1>
        <p>
          Adapt a search model to your own domain from the search log you already have. No labels are needed, and your
          files stay on this computer.
        </p>
      </header>
      <main>
        <DataSection />
        <DeviceSection />
        <RunSection />
        <InsideSection />
        <TrySection />
        <DownloadSection />
      </main>
    </>
  );
}
