import type { Progress } from "querytune";

/** What happens in each stage of a job, in the order they come. */
export const MEANINGS: Partial<Record<Progress["stage"], string>> = {
  download: "From the server, the hub or this browser’s own store; each file is checked.",
  load: "Into the memory of the device. On the CPU every thread has its own.",
  "self-test": "A few texts whose right numbers are known are computed, before anything else is.",
  encode: "The encoder turns each query and each document into one vector.",
  search: "The documents whose vectors are nearest to the query’s are its candidates.",
  score: "The cross-encoder reads query and candidate together. Each score is kept as soon as it is there.",
  tune: "An adapter learns from the scores, several times, with some of the queries left out each time.",
  evaluate: "Base model, tuned model and cross-encoder are compared, by judgements where there are some.",
};

/** The name of each stage, and what it counts. */
export const NAMES: Record<Progress["stage"], [name: string, unit: string]> = {
  read: ["Read the files", "bytes"],
  download: ["Get the models", ""],
  load: ["Load the models", "models"],
  "self-test": ["Check the device’s numbers", "checks"],
  encode: ["Turn texts into vectors", "texts"],
  search: ["Find candidates", "queries"],
  score: ["Score candidates", "pairs"],
  tune: ["Train the adapter", "steps"],
  // A judged query is ranked anew for each of the figures.
  evaluate: ["Compare", "rankings"],
  artifact: ["Pack the download", "files"],
};
