/** A thread that is spoken to without any pool: an answer for each message. */
import { parentPort } from "node:worker_threads";
import type { Message } from "../thread-pools.ts";
import { busy, busyTimes, next, tiny } from "./jobs.ts";

const functions = { tiny, next, busy, busyTimes };

parentPort?.on("message", (messages: readonly Message[]) => {
  const results = messages.map(({ id, name, job }) => ({ id, job: functions[name](job as never) }));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  parentPort?.postMessage(results);
});
