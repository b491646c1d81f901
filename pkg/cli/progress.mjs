// Progress on the terminal: one line a stage that is drawn anew, or, in a pipe, a line every few seconds.
import { duration } from "./terminal.mjs";

const names = {
  read: "read",
  download: "model files",
  load: "load models",
  "self-test": "self-test",
  encode: "encode",
  search: "search",
  score: "score",
  tune: "tune",
  evaluate: "evaluate",
  artifact: "artifact",
};

const count = (number) => Math.floor(number).toLocaleString("en-US");

function rate(perSecond) {
  if (!perSecond) return "";
  return perSecond >= 10 ? `${count(perSecond)}/s` : `${perSecond.toFixed(1)}/s`;
}

const BAR = 20;

/** A bar and a share, where the end is known. */
function bar({ done, total }) {
  if (!(total > 0)) return "";
  const share = Math.min(1, done / total);
  const full = Math.round(share * BAR);
  return `${"━".repeat(full)}${"─".repeat(BAR - full)} ${String(Math.floor(share * 100)).padStart(3)} %  `;
}

function describe(event) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
  if (event.stage === "read") return `${megabytes(event.done)} of ${megabytes(event.total)} MB`;
  if (event.stage === "download") {
    return event.total > 0 ? `${megabytes(event.done)} of ${megabytes(event.total)} MB` : `${megabytes(event.done)} MB`;
  }
  const parts = [`${count(event.done)} of ${count(event.total)}`];
  if (event.cached > 0) parts.push(`${count(event.cached)} from the store`);
  if (event.loss !== undefined) parts.push(`loss ${event.loss.toFixed(4)}`);
  parts.push(rate(event.perSecond));
  if (event.secondsLeft !== undefined && event.done < event.total) parts.push(`${duration(event.secondsLeft)} left`);
  return parts.filter(Boolean).join("  ");
}

/** Shows progress events. Call `end` when nothing more comes. */
export class ProgressView {
  #stream;
  #every;
  #stage;
  #since = 0;
  #shown = 0;
  #last;
  /** How far each model is that is being downloaded; they come side by side. */
  #downloads = new Map();

  /** `every`: seconds between two lines where the stream is not a terminal. */
  constructor(stream = process.stdout, every = 5) {
    this.#stream = stream;
    this.#every = every;
  }

  /** An event of the npm package's `onProgress`. */
  event(given) {
    const event = given.stage === "download" ? this.#together(given) : given;
    const now = performance.now() / 1000;
    // The next stage, or the next round of the same one.
    const again =
      this.#last && event.stage === this.#stage && event.total !== this.#last.total && event.stage !== "download";
    if (event.stage !== this.#stage || again) {
      this.end();
      this.#stage = event.stage;
      this.#since = now;
      this.#shown = now;
    }
    this.#last = event;
    const name = (names[event.stage] ?? event.stage).padEnd(12);
    const line = `  ${name} ${describe(event)}`;
    if (this.#stream.isTTY) {
      if (now - this.#shown < 0.1 && (event.done < event.total || event.total === 0)) return;
      this.#shown = now;
      this.#draw(`  ${name} ${bar(event)}${describe(event)}`);
    } else if (now - this.#shown >= this.#every) {
      this.#shown = now;
      this.#stream.write(`${line}\n`);
    }
  }

  /** Closes the line of the stage with the time it took; of reading its result speaks. */
  end() {
    if (!this.#last) return;
    if (this.#stage === "read") {
      if (this.#stream.isTTY) this.#draw("");
      this.#last = undefined;
      this.#stage = undefined;
      return;
    }
    const seconds = performance.now() / 1000 - this.#since;
    const { secondsLeft: _, ...event } = this.#last;
    const line = `  ${(names[event.stage] ?? event.stage).padEnd(12)} ${describe(event)}  in ${duration(seconds)}`;
    if (this.#stream.isTTY) this.#draw(line);
    else this.#stream.write(line);
    this.#stream.write("\n");
    this.#last = undefined;
    this.#stage = undefined;
  }

  #together({ stage, model, loaded, total }) {
    this.#downloads.set(model, { loaded, total });
    const all = [...this.#downloads.values()];
    const sum = (key) => all.reduce((bytes, one) => bytes + one[key], 0);
    const known = all.every((one) => one.total > 0);
    return { stage, done: sum("loaded"), total: known ? sum("total") : 0, cached: 0 };
  }

  #draw(line) {
    const width = (this.#stream.columns || 80) - 1;
    this.#stream.write(`\r\x1b[2K${line.slice(0, width)}`);
  }
}
