/**
 * The first module of a worker of a browser: loads the module with the functions, and lets the pool call them.
 */
import { systemClock } from "../../core/clock.ts";
import { recordOf } from "../error-record.ts";
import type { ThreadStart } from "../host.ts";
import type { News, Order } from "../protocol.ts";
import { Runner } from "../runner.ts";

/** What of the scope of a worker is used here. */
interface WorkerScope {
  postMessage(news: News, list: readonly Transferable[]): void;
  addEventListener(
    type: "message",
    listener: (event: { readonly data: unknown }) => void,
    options?: object,
  ): void;
}

const scope = globalThis as unknown as WorkerScope;
const host = {
  post: (news: News, list: readonly Transferable[]) => scope.postMessage(news, list),
  now: () => systemClock.now(),
};

async function begin({ module, cells, worker }: ThreadStart): Promise<void> {
  try {
    // The one module that is not known here: whose functions are called.
    const functions = (await import(/* @vite-ignore */ module)) as Readonly<Record<string, unknown>>;
    const runner = new Runner(functions, cells, worker, host);
    scope.addEventListener("message", ({ data }) => runner.take(data as readonly Order[]));
    host.post(["loaded"], []);
  } catch (error) {
    host.post(["unloadable", recordOf(error)], []);
  }
}

scope.addEventListener("message", ({ data }) => void begin(data as ThreadStart), { once: true });
