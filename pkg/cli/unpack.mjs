// What a download holds, as files of its own beside it.
import { join } from "node:path";
import { writeWhole } from "./run.mjs";

/** The model and the adapter. `files`: of `readZip`. */
export function unpackModel(files, out) {
  for (const [name, content] of files) {
    const place = name.split("/");
    if (["model", "adapter"].includes(place[0]) && place.every((part) => part && part !== "..")) {
      writeWhole(join(out, ...place), content());
    }
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
