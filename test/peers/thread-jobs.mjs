/** What the threads of the comparison do, theirs and ours. */
import { threadId } from "node:worker_threads";

export const exit = () => process.exit(0);
export const where = () => threadId;
/** Ends when it is told to; a thread of a peer is not told. */
export const untilTold = (_job, context) =>
  new Promise((resolve) => {
    const alive = setInterval(() => {}, 1000);
    context?.ctx?.signal.addEventListener("abort", () => {
      clearInterval(alive);
      resolve();
    });
  });
