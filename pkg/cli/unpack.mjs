// What a download holds, as files of its own beside it.
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./run.mjs";

/** The model and the adapter, each whole or not at all. `files`: of `readZip`. */
export function unpackModel(files, out) {
  for (const folder of ["model", "adapter"]) {
    const partial = join(out, `.${folder}.partial`);
    rmSync(partial, { recursive: true, force: true });
    for (const [name, content] of files) {
      const place = name.split("/").slice(1);
      if (name.startsWith(`${folder}/`) && place.every((part) => part && part !== "..")) {
        writeWhole(join(partial, ...place), content());
      }
    }
    rmSync(join(out, folder), { recursive: true, force: true });
    renameSync(partial, join(out, folder));
  }
}

/**
 * The scores: of the zip and not of the package's `toScoresTsv`, since those of a large job are longer than one string can
 * be. Where they cannot be written, `warn` hears of it and the model is used without them. Whether they are there.
 */
export function unpackScores(files, out, warn) {
  try {
    writeWhole(join(out, "scores.tsv"), files.get("data/scores.tsv")());
    return true;
  } catch (error) {
    warn(`scores.tsv could not be written (${error.message}). The scores are in artifact.zip, as data/scores.tsv.`);
    return false;
  }
}
