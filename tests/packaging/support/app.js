// The page of every project that a bundler builds: a test calls `runJob` with the job's input.
import { load } from "querytune";
import { job } from "./job.js";

globalThis.runJob = (input) => job(load, input);
