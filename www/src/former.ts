/** What is known of earlier jobs and measurements for the files and models that are chosen. */

import { computed, effect, signal } from "@preact/signals";
import { chosen } from "./choice.js";
import { decisive, documents, queries } from "./data.js";
import { fingerprint, formerJobs } from "./jobs.js";
import { type Circumstances, speed, unlike } from "./measurement.js";
import { namesOf } from "./settings.js";

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

/** What is chosen, as far as it decides how long a text and a pair take. */
export const circumstances = computed<Circumstances>(() => {
  const { settings } = chosen.value;
  const length = (queries.content.value?.length ?? 0) + (documents.content.value?.length ?? 0);
  return { device: settings.device, models: namesOf(settings), length, files: print.value };
});

/** What the measurement does not hold for, of what is chosen; undefined where it does, or where there is none. */
export const unmeasured = computed(() => speed.value && unlike(speed.value, circumstances.value));

/** How fast what is chosen is, as far as it was measured. */
export const speedHere = computed(() => (unmeasured.value ? undefined : speed.value));

/** The job that was run before on the same files, in the same way, if there is one. */
export const former = computed(() =>
  print.value === "" ? undefined : formerJobs(print.value, chosen.value.settings).find((job) => job.scored > 0),
);
