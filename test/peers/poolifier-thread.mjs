/** A thread of poolifier whose job ends it. */
import { createRequire } from "node:module";
import { exit } from "./thread-jobs.mjs";

const { ThreadWorker } = createRequire(new URL("../../bench/package.json", import.meta.url))("poolifier");
export const thread = new ThreadWorker(exit);
