/**
 * Threads as Node has them, and those who have learned it from Node.
 */
import { availableParallelism } from "node:os";
import { execArgv } from "node:process";
import { Worker, type WorkerOptions } from "node:worker_threads";
import type { HostThread, ThreadHost, ThreadListener, ThreadStart } from "../../threads/host.ts";
import type { News, Order } from "../../threads/protocol.ts";

/** What of Node's options is left to the user: limits of memory, environment, arguments. */
export type NodeThreadOptions = Pick<WorkerOptions, "argv" | "env" | "execArgv" | "resourceLimits">;

/** Node's worker threads. */
export function nodeHost(options: NodeThreadOptions): ThreadHost {
  const start = (data: ThreadStart, listener: ThreadListener): HostThread => {
    const worker = startWorker({ ...options, name: data.name, workerData: data });
    worker.on("message", (news: News) => listener.news(news));
    worker.on("messageerror", (error) => listener.crashed(error));
    worker.on("error", (error) => listener.crashed(error));
    worker.on("exit", (exitCode) => listener.gone(exitCode));
    return new NodeThread(worker);
  };
  return { cores: availableParallelism(), sharesMemory: true, start };
}

const entry = new URL("./entry.js", import.meta.url);

/**
 * A thread has its process's options, and one that says what kind of program a text is (`node --input-type=module -e …`)
 * forbids it to begin with a file. So it begins with a text, too.
 */
function startWorker(options: WorkerOptions): Worker {
  const inherited = options.execArgv ?? execArgv;
  if (!inherited.some((option) => option.startsWith("--input-type"))) return new Worker(entry, options);
  return new Worker(`import(${JSON.stringify(entry.href)})`, { ...options, eval: true });
}

class NodeThread implements HostThread {
  readonly #worker: Worker;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  post(orders: readonly Order[], list: readonly Transferable[]): void {
    this.#worker.postMessage(orders, list as never);
  }

  hold(held: boolean): void {
    if (held) this.#worker.ref();
    else this.#worker.unref();
  }

  terminate(): void {
    void this.#worker.terminate();
  }
}
