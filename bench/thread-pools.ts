/** The pools of threads, seen alike. Shared by the subjects that measure threads. */
import { Worker } from "node:worker_threads";
import { threadPool } from "../src/node/threads.ts";
import { peer } from "./peers.ts";
import type * as functions from "./threads/jobs.ts";

/** Has a function called in a thread. */
export type Call = (name: keyof typeof functions, job: unknown) => PromiseLike<unknown>;

/** Makes so many threads. */
export type Load = (threads: number) => Promise<Call> | Call;

/** For pools with a bound of their own. */
const ENOUGH = 100_000;

const jobs = new URL("./threads/jobs.js", import.meta.url);

export const ours: Load = (threads) => {
  const pool = threadPool<typeof functions>(jobs, { workers: threads, capacity: ENOUGH });
  return (name, job) => pool.run(name, job as never);
};

interface Piscina {
  run(job: unknown, options: { readonly name: string }): Promise<unknown>;
}

type PiscinaClass = new (options: Readonly<Record<string, unknown>>) => Piscina;

const piscinaOf = (
  Pool: PiscinaClass,
  threads: number,
  options: Readonly<Record<string, unknown>> = {},
): Call => {
  const pool = new Pool({ filename: jobs.href, minThreads: threads, maxThreads: threads, ...options });
  return (name, job) => pool.run(job, { name });
};

async function piscina(threads: number, options?: Readonly<Record<string, unknown>>): Promise<Call> {
  const { Piscina } = (await peer("piscina")) as { readonly Piscina: PiscinaClass };
  return piscinaOf(Piscina, threads, options);
}

async function tinypool(threads: number): Promise<Call> {
  const { Tinypool } = (await peer("tinypool")) as { readonly Tinypool: PiscinaClass };
  return piscinaOf(Tinypool, threads);
}

async function poolifier(threads: number): Promise<Call> {
  const { FixedThreadPool } = (await peer("poolifier")) as {
    readonly FixedThreadPool: new (
      threads: number,
      file: string,
    ) => { execute(job: unknown, name: string): Promise<unknown> };
  };
  const pool = new FixedThreadPool(threads, new URL("./threads/poolifier.js", import.meta.url).pathname);
  return (name, job) => pool.execute(job, name);
}

async function workerpool(threads: number): Promise<Call> {
  const { default: made } = (await peer("workerpool")) as {
    readonly default: {
      pool(
        file: string,
        options: Readonly<Record<string, unknown>>,
      ): { exec(name: string, args: readonly unknown[]): PromiseLike<unknown> };
    };
  };
  const file = new URL("./threads/workerpool.js", import.meta.url).pathname;
  const pool = made.pool(file, { minWorkers: threads, maxWorkers: threads, workerType: "thread" });
  return (name, job) => pool.exec(name, [job]);
}

/** The packages, with how each is used. */
export const peers: Readonly<Record<string, readonly [idiom: string, load: Load]>> = {
  piscina: ["", (threads) => piscina(threads)],
  "piscina, 16 a thread": [
    "several jobs a thread at once",
    (threads) => piscina(threads, { concurrentTasksPerWorker: 16 }),
  ],
  tinypool: ["", tinypool],
  poolifier: ["", poolifier],
  workerpool: ["", workerpool],
};

/** A job for a thread that is spoken to without any pool. */
export interface Message {
  readonly id: number;
  readonly name: keyof typeof functions;
  readonly job: unknown;
}

/** Messages to threads in turn: no limit, no failure, no end. `together`: what is handed over in one step is one message. */
export const messages =
  (together: boolean): Load =>
  (threads) => {
    const open = new Map<number, (result: unknown) => void>();
    const lines = Array.from({ length: threads }, () => lineTo(open));
    let last = 0;
    return (name, job) =>
      new Promise((resolve) => {
        open.set(++last, resolve);
        lines[last % threads]?.({ id: last, name, job }, together);
      });
  };

/** Gives messages to a thread of its own. */
function lineTo(open: Map<number, (result: unknown) => void>): (message: Message, waits: boolean) => void {
  const thread = new Worker(new URL("./threads/messages.js", import.meta.url));
  thread.on("message", (results: readonly Pick<Message, "id" | "job">[]) => {
    for (const { id, job } of results) {
      open.get(id)?.(job);
      open.delete(id);
    }
  });
  let outbox: Message[] = [];
  const flush = (): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    thread.postMessage(outbox);
    outbox = [];
  };
  return (message, waits) => {
    outbox.push(message);
    if (!waits) flush();
    else if (outbox.length === 1) queueMicrotask(flush);
  };
}
