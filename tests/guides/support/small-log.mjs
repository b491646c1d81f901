// A log so small that it is adapted to in seconds, and from which the encoder gains nevertheless: agreement on queries
// left out rises by .02, so that the tuned model is delivered.
import * as tiny from "../../browser/support/tiny-job.mjs";

/** What an example in the documents searches for. */
export const LESSON = "Learn to ride waves in a week.";

/** With one that moves a head where the examples' query is: base and tuned model have to be told apart. */
export const queries = [...tiny.manyQueries, "surf"];

/** Two more than are scored by default, so that there is something to score deeper. */
export const documents = [...tiny.documents, LESSON, "A board for beginners."];
