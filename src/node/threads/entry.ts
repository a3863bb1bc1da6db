/**
 * The first module of a worker thread of Node: loads the module with the functions, and lets the pool call them.
 */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../core/clock.ts";
import { recordOf } from "../../threads/error-record.ts";
import type { ThreadStart } from "../../threads/host.ts";
import type { News, Order } from "../../threads/protocol.ts";
import { Runner } from "../../threads/runner.ts";

const { module, cells, worker } = workerData as ThreadStart;
const post = (news: News, list: readonly Transferable[]): void =>
  parentPort?.postMessage(news, list as never);
const host = { post, now: () => systemClock.now() };

// Not at the top level: V8 ends the whole process if a thread is ended in the instant in which it begins with a module that
// waits.
async function begin(): Promise<void> {
  try {
    // The one module that is not known here: whose functions are called.
    const functions = (await import(module)) as Readonly<Record<string, unknown>>;
    const runner = new Runner(functions, cells, worker, host);
    parentPort?.on("message", (orders: readonly Order[]) => runner.take(orders));
    post(["loaded"], []);
  } catch (error) {
    post(["unloadable", recordOf(error)], []);
  }
}

void begin();
