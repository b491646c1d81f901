// The folder of a job's results. A job writes beside those of an earlier one, and takes their places when all is there:
// else a job that was stopped would leave its figures beside another one's model.
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** The results of one job. */
export class Results {
  /** Where the job writes. */
  folder;
  #out;

  /** Makes the folder `out` where there is none, and room in it. */
  constructor(out) {
    this.#out = out;
    this.folder = join(out, ".partial");
    // Of a job whose process was killed.
    this.discard();
    mkdirSync(this.folder, { recursive: true });
  }

  /** Puts what was written under these names into its place; what an earlier job had there is gone. */
  take(names) {
    const earlier = join(this.folder, "earlier");
    mkdirSync(earlier);
    for (const name of names) {
      const [from, to] = [join(this.folder, name), join(this.#out, name)];
      const made = statSync(from, { throwIfNoEntry: false });
      // A file takes another one's place in one step.
      if (!made?.isFile() && existsSync(to)) renameSync(to, join(earlier, name));
      if (made) renameSync(from, to);
    }
    this.discard();
  }

  /** Leaves an earlier job's results as they are. */
  discard() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
