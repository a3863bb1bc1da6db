/** Thread pools: small jobs and long ones, all handed over at once, on two threads. */
import { check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";
import { type Call, type Load, messages, ours, peers } from "./thread-pools.ts";
import { type Job, tiny } from "./threads/jobs.ts";

const THREADS = 2;
const BUSY_MS = 1;

async function small(call: Call, count: number): Promise<void> {
  const results = (await Promise.all(
    Array.from({ length: count }, (_, n) => call("tiny", { k: n, x: n })),
  )) as readonly Job[];
  for (let n = 0; n < count; n++) {
    check(results[n]?.k, n);
    check(results[n]?.x, n + 1);
  }
}

/** What is lost: the share of the time of the threads in which they do no job. */
async function lost(call: Call, count: number): Promise<number> {
  const sinceMs = performance.now();
  const results = await Promise.all(Array.from({ length: count }, () => call("busy", BUSY_MS)));
  const tookMs = performance.now() - sinceMs;
  check(results.length, count);
  return 100 * (1 - (count * BUSY_MS) / THREADS / tookMs);
}

/** The process ends with its rounds, and its threads with it. */
const variant = (
  who: NodeVariant["who"],
  idiom: string,
  load: Load,
  round: (call: Call, count: number) => Promise<number | void>,
): NodeVariant => ({
  who,
  idiom,
  setUp: async (): Promise<Rounds> => {
    const call = await load(THREADS);
    await call("tiny", { k: 0, x: 0 });
    return (count) => round(call, count);
  },
});

const variants = (round: (call: Call, count: number) => Promise<number | void>) => ({
  ours: variant("ours", "", ours, round),
  ...Object.fromEntries(
    Object.entries(peers).map(([name, [idiom, load]]) => [name, variant("peer", idiom, load, round)]),
  ),
});

const SMALL =
  "The thread that hands out is what it waits for, and both others are idle half of the time. Of its profile 45 % is the " +
  "collection of garbage, as all jobs wait at once, and 18 % the messages, though one has several jobs.";
const LONG = "Two threads and the one that hands out share two cores.";

export const threads: Subject = {
  name: "threads",
  title: "Threads",
  cases: [
    {
      name: "small",
      operation: `a job of a few microseconds, an object there and one back, all handed over at once, ${THREADS} threads`,
      operations: 20_000,
      variants: {
        ...variants(small),
        "no pool": variant("naive", "a message each", messages(false), small),
        "no thread": variant("floor", "a call each", () => async (_, job) => tiny(job as Job), small),
      },
      goals: [
        { of: "ours", versus: "poolifier", atLeast: 1.5 },
        { of: "ours", versus: "piscina", atLeast: 4, note: SMALL },
      ],
    },
    {
      name: "long",
      operation: `jobs of ${BUSY_MS} ms on ${THREADS} threads: the share of their time that is lost`,
      unit: "%",
      operations: { full: 1000, quick: 300 },
      variants: variants(lost),
      goals: [{ of: "ours", atMost: 10, note: LONG }],
    },
  ],
};
