import { named } from "../choice.js";
import { changed, outcome } from "../outcome.js";

const OTHERS = {
  files: "Other files are chosen now; they have not been run.",
  settings: "Other settings are chosen now; they have not been run.",
};

/** Whose result is shown, and whether it is that of what is chosen. */
export function ResultOf({ testid }: { testid: string }) {
  const result = outcome.value;
  if (!result) return null;
  const what = `Result of ${named(result.of)}.`;
  if (!changed.value) {
    return (
      <p class="quiet" data-testid={testid}>
        {what}
      </p>
    );
  }
  return (
    <p class="notice" data-testid={testid} data-changed={changed.value}>
      <b>{what}</b> {OTHERS[changed.value]}
    </p>
  );
}
