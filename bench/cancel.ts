/** Cancelling: one of many who wait for a permit gives up, from anywhere in the line. */
import { background, withCancel } from "../src/sync/context.ts";
import { Semaphore } from "../src/sync/semaphore.ts";
import { type Case, check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";

/** Who waits in a line. */
interface Waiting {
  cancel(): void;
  /** Whether it was cancelled: false if it got what it waited for. */
  readonly cancelled: Promise<boolean>;
}

/** Joins a line that does not move. */
type Join = () => Waiting;

const outcome = (waited: Promise<unknown>): Promise<boolean> =>
  waited.then(
    () => false,
    () => true,
  );

function fullSemaphore(): Semaphore {
  const semaphore = new Semaphore(1);
  check(semaphore.tryAcquire() === undefined, false);
  return semaphore;
}

const ours = (): Join => {
  const semaphore = fullSemaphore();
  return () => {
    const { ctx, cancel } = withCancel(background);
    return { cancel: () => cancel("over"), cancelled: outcome(semaphore.acquire(1, ctx)) };
  };
};

/** A line whose waiters take an AbortSignal. */
const bySignal =
  (wait: (signal: AbortSignal) => Promise<unknown>): Join =>
  () => {
    const controller = new AbortController();
    return { cancel: () => controller.abort("over"), cancelled: outcome(wait(controller.signal)) };
  };

const oursBySignal = (): Join => {
  const semaphore = fullSemaphore();
  return bySignal((signal) => semaphore.acquire(1, { signal }));
};

interface QueueModule {
  readonly default: new (options: {
    readonly concurrency: number;
  }) => { add(work: () => unknown, options?: { readonly signal: AbortSignal }): Promise<unknown> };
}

interface TsChanModule {
  readonly Chan: new () => { send(value: number, abort: AbortSignal): Promise<void> };
}

interface Fiber {
  interruptUnsafe(): void;
  addObserver(callback: (exit: { readonly _tag: "Success" | "Failure" }) => void): unknown;
}

/** Effects, opaque here. */
interface EffectModule {
  readonly Effect: { runFork(effect: object): Fiber };
  readonly Semaphore: { makeUnsafe(permits: number): { take(permits: number): object } };
}

const peers: Readonly<Record<string, readonly [idiom: string, make: () => Promise<Join>]>> = {
  "p-queue": [
    "abort(reason)",
    async () => {
      const { default: Queue } = (await peer("p-queue")) as QueueModule;
      const queue = new Queue({ concurrency: 1 });
      void queue.add(() => new Promise(() => {}));
      return bySignal((signal) => queue.add(() => {}, { signal }));
    },
  ],
  "ts-chan": [
    "a channel; abort(reason)",
    async () => {
      const { Chan } = (await peer("ts-chan")) as TsChanModule;
      const channel = new Chan();
      return bySignal((signal) => channel.send(1, signal));
    },
  ],
  effect: [
    "a fiber interrupted",
    async () => {
      const { Effect, Semaphore: Permits } = (await peer("effect")) as EffectModule;
      const none = Permits.makeUnsafe(0);
      return () => {
        const fiber = Effect.runFork(none.take(1));
        const cancelled = new Promise<boolean>((resolve) => {
          fiber.addObserver(({ _tag }) => resolve(_tag === "Failure"));
        });
        return { cancel: () => fiber.interruptUnsafe(), cancelled };
      };
    },
  ],
};

/** An array that is searched, and a promise. */
const naive = (): Join => {
  const line: ((cancelled: boolean) => void)[] = [];
  return () => {
    let leave: (cancelled: boolean) => void = () => {};
    const cancelled = new Promise<boolean>((resolve) => {
      leave = resolve;
    });
    line.push(leave);
    const cancel = (): void => {
      line.splice(line.indexOf(leave), 1);
      leave(true);
    };
    return { cancel, cancelled };
  };
};

/** No line: a promise that is settled. */
const floor = (): Join => () => {
  let cancel: () => void = () => {};
  const cancelled = new Promise<boolean>((resolve) => {
    cancel = () => resolve(true);
  });
  return { cancel, cancelled };
};

/** So many leave before as many new ones join; the joining is not counted. */
const AT_ONCE = 100;

/** Cancels those of a line in an order by chance, the same in each run. Gives nanoseconds for each. */
function cancelling(join: Join, length: number): Rounds {
  const line = Array.from({ length }, join);
  shuffle(line);
  let next = 0;
  return async (cancels) => {
    let tookMs = 0;
    for (let left = cancels; left > 0; left -= AT_ONCE) {
      const leaving = Array.from({ length: AT_ONCE }, (_, n) => line[(next + n) % length] as Waiting);
      const startedMs = performance.now();
      for (const waiting of leaving) waiting.cancel();
      const gone = await Promise.all(leaving.map(({ cancelled }) => cancelled));
      tookMs += performance.now() - startedMs;
      check(gone.filter(Boolean).length, AT_ONCE);
      for (let n = 0; n < AT_ONCE; n++) line[(next + n) % length] = join();
      next = (next + AT_ONCE) % length;
    }
    return (tookMs * 1e6) / (Math.ceil(cancels / AT_ONCE) * AT_ONCE);
  };
}

/** By Fisher and Yates, with numbers of Park and Miller's. */
function shuffle(line: Waiting[]): void {
  let seed = 1;
  for (let last = line.length - 1; last > 0; last--) {
    seed = (seed * 48_271) % 2_147_483_647;
    const at = seed % (last + 1);
    [line[last], line[at]] = [line[at] as Waiting, line[last] as Waiting];
  }
}

const SIGNAL =
  "A signal that aborts makes an event and calls its listeners, which takes the host some microseconds, whoever listens: see " +
  "Context. The package has no signals: its fibers are told as a context is.";

function caseOf(length: number, words: string, without: readonly string[] = []): Case {
  const variant = (
    who: NodeVariant["who"],
    idiom: string,
    make: () => Join | Promise<Join>,
  ): NodeVariant => ({ who, idiom, setUp: async () => cancelling(await make(), length) });
  const named = Object.entries(peers)
    .filter(([name]) => !without.includes(name))
    .map(([name, [idiom, make]]) => [name, variant("peer", idiom, make)]);
  return {
    name: words,
    operation: `one of ${words} who wait for a permit gives up`,
    variants: {
      ours: variant("ours", "cancel(cause) of a context", ours),
      "ours, AbortSignal": variant("ours", "abort(reason)", oursBySignal),
      ...(Object.fromEntries(named) as Record<string, NodeVariant>),
      "array and indexOf": variant("naive", "a call", naive),
      "a promise": variant("floor", "a call", floor),
    },
    goals: [
      { of: "ours", versus: "best peer", atLeast: 1 },
      { of: "ours, AbortSignal", versus: "best peer", atLeast: 1, note: SIGNAL },
    ],
  };
}

export const cancel: Subject = {
  name: "cancel",
  title: "Cancelling a wait",
  // In a long line of effect each who joins takes a millisecond: it would take minutes until the line stands.
  cases: [caseOf(1000, "1000"), caseOf(100_000, "100,000", ["effect"])],
};
