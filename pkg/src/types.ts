/** The public types, by what they are about. */

export type * from "./types/artifact.js";
export type * from "./types/device.js";
export type * from "./types/judgements.js";
export type * from "./types/judging.js";
export type * from "./types/models.js";
export type * from "./types/reader.js";
export type * from "./types/relations.js";
export type * from "./types/report.js";
export type * from "./types/run.js";
export type * from "./types/search.js";
export type * from "./types/session.js";
export type * from "./types/texts.js";
export type * from "./types/training.js";
export type * from "./types/tuner.js";
export type * from "./types/watch.js";
