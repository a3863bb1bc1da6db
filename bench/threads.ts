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

async function lost(call: Call, count: number): Promise<number> {
  const sinceMs = performance.now();
  const results = await Promise.all(Array.from({ length: count }, () => call("busy", BUSY_MS)));
  check(results.length, count);
  return lostOf(count, sinceMs);
}

/** The same of threads that are told once what to do: what is lost to the machine, and to who else uses it. */
async function lostAlone(call: Call, count: number): Promise<number> {
  const sinceMs = performance.now();
  const job = { ms: BUSY_MS, times: count / THREADS };
  const results = await Promise.all(Array.from({ length: THREADS }, () => call("busyTimes", job)));
  check(results[0], job.times);
  return lostOf(count, sinceMs);
}

/** The share of the time of the threads in which they do no job. */
function lostOf(count: number, sinceMs: number): number {
  return 100 * (1 - (count * BUSY_MS) / THREADS / (performance.now() - sinceMs));
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
  "It is about there: 3.9 to 6.6 in runs that were next to each other, while others used the cores, and 4.7 to 5.4 by the time of the " +
  "processors. Of that a job takes 6 µs in the thread that hands out, 3.7 in those of V8 that collect garbage, as all jobs wait " +
  "at once, and 3 in the two that do them.";
const LONG =
  "Two threads and the one that hands out share two cores. Told once what to do, two threads take 1.00 ms of the processors for a " +
  "job; here it is 1.06 to 1.12, as the one that hands out is awake for 0.09 ms a job, nowhere for long: 43 % of that to hear of an end " +
  "and begin with the next job, 12 % to send, 12 % to wait. And it has to wait for a core: a thread has its next job 0.06 ms after the " +
  "last, but 1 to 3 ms after it in a tenth of the cases. Tried: four jobs a thread in the place of two (of 1.09 ms 1.06; lost are 16 % " +
  "in the place of 21 %, where the machine loses 3 %), and eight (1.05 ms, but no less is lost).";

export const threads: Subject = {
  name: "threads",
  title: "Threads",
  manyCores: true,
  cases: [
    {
      name: "small",
      operation: `a job of a few microseconds, an object there and one back, all handed over at once, ${THREADS} threads`,
      operations: { full: 20_000, quick: 8000 },
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
      variants: {
        ...variants(lost),
        "nobody hands out": variant("floor", "all at once, a message a thread", messages(false), lostAlone),
      },
      goals: [{ of: "ours", atMost: 10, note: LONG }],
    },
  ],
};
