/** A thread that is spoken to without any pool: an answer for each message. */
import { parentPort } from "node:worker_threads";
import { type Job, tiny } from "./jobs.ts";

parentPort?.on("message", ({ id, job }: { readonly id: number; readonly job: Job }) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  parentPort?.postMessage({ id, job: tiny(job) });
});
