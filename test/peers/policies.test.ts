/** Policies around a call: whoever gives up hears of that and of nothing else, and leaves nothing in the way. */
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import { Bulkhead } from "concurrency-model-patterns/timeout-cancellation/bulkhead";
import { fate, pause, peer, theyFailWePass } from "./duel.ts";

interface Policy {
  execute<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

interface CockatielModule {
  readonly timeout: (ms: number, strategy: unknown) => Policy;
  readonly TimeoutStrategy: { readonly Aggressive: unknown };
  readonly bulkhead: (running: number, waiting: number) => Policy;
}

type Run = <T>(
  task: (options: { readonly signal: AbortSignal }) => Promise<T>,
  signal?: AbortSignal,
) => Promise<T>;

const untilTold = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });

/** What somebody is told who aborts a call after 5 ms whose limit is 10 s. */
async function toldAfterAbort(run: Run): Promise<string> {
  const controller = new AbortController();
  const call = run(untilTold, controller.signal).catch((error: unknown) => (error as Error).message);
  await pause(5);
  controller.abort(new Error("enough"));
  return call;
}

theyFailWePass(
  "who aborts a call after 5 ms whose limit is 10 s is told",
  "cockatiel",
  {
    seen: "Operation timed out after 10000ms",
    program: async () => {
      const cockatiel = await peer<CockatielModule>("cockatiel");
      const policy = cockatiel.timeout(10_000, cockatiel.TimeoutStrategy.Aggressive);
      return toldAfterAbort((task, signal) =>
        policy.execute(() => task({ signal: new AbortController().signal }), signal),
      );
    },
  },
  {
    seen: "enough",
    program: () => toldAfterAbort((task, signal) => timeout(task, { timeoutMs: 10_000, signal })),
  },
);

/** How a call fares that comes when one runs and the one that waited for it has been aborted, where one may wait. */
async function afterAbortInLine(run: Run): Promise<string> {
  let release = (): void => {};
  const running = run(() => new Promise<void>((resolve) => (release = resolve)));
  await pause(1);
  const controller = new AbortController();
  const aborted = run(async () => {}, controller.signal).catch(() => {});
  await pause(1);
  controller.abort(new Error("enough"));
  const next = fate(run(async () => {}));
  await pause(1);
  release();
  await Promise.all([running, aborted]);
  return next;
}

theyFailWePass(
  "a call behind one that was aborted in the line of a bulkhead",
  "cockatiel",
  {
    seen: "rejects",
    program: async () => {
      const policy = (await peer<CockatielModule>("cockatiel")).bulkhead(1, 1);
      return afterAbortInLine((task, signal) =>
        policy.execute(() => task({ signal: new AbortController().signal }), signal),
      );
    },
  },
  {
    seen: "resolves",
    program: () => {
      const bulkhead = new Bulkhead({ concurrency: 1, capacity: 1 });
      return afterAbortInLine((task, signal) => bulkhead.run(task, { signal }));
    },
  },
);
