/** What is known of earlier jobs for the files and models that are chosen. */

import { computed, effect, signal } from "@preact/signals";
import { chosen } from "./choice.js";
import { decisive } from "./data.js";
import { fingerprint, formerJobs } from "./jobs.js";

/** Of the chosen files; empty while there are none, or while it is computed. */
export const print = signal("");
let turn = 0;
effect(() => {
  const files = decisive.value;
  turn += 1;
  const asked = turn;
  print.value = "";
  if (files.length === 0) return;
  fingerprint(files).then(
    (found) => {
      if (asked === turn) print.value = found;
    },
    () => {},
  );
});

/** The job that was run before on the same files, in the same way, if there is one. */
export const former = computed(() =>
  print.value === "" ? undefined : formerJobs(print.value, chosen.value.settings).find((job) => job.scored > 0),
);
