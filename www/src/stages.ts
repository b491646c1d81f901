import type { Progress } from "querytune";

/** What each stage does, and what it counts. */
export const NAMES: Record<Progress["stage"], [name: string, unit: string]> = {
  download: ["Get the models", ""],
  load: ["Load the models", "models"],
  "self-test": ["Check the device’s numbers", "checks"],
  encode: ["Turn texts into vectors", "texts"],
  search: ["Find candidates", "queries"],
  score: ["Score candidates", "pairs"],
  tune: ["Train the adapter", "steps"],
  evaluate: ["Compare", "queries"],
  artifact: ["Pack the download", "files"],
};
