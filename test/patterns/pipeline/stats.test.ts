/** What the stages of a pipeline have done, and where their time went: exactly, as time is virtual. */
import { pipeline } from "concurrency-model-patterns/pipeline";
import { PipelineStats, type StageStats } from "concurrency-model-patterns/pipeline/stats";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { failureOf } from "../../support/outcomes.ts";

/** Work that takes so long. */
const taking =
  (ms: number) =>
  async (n: number): Promise<number> => {
    await sleep(ms);
    return n;
  };

const shares = ({ working, blockedOnInput, blockedOnOutput }: StageStats): number[] =>
  [working, blockedOnInput, blockedOnOutput].map((share) => Math.round(share * 1000) / 1000);

inBothRuntimes("names the slow stage; those before wait for output, those behind for input", async () => {
  const stats = new PipelineStats();
  const run = pipeline(
    Array.from({ length: 10 }, (_, n) => n),
    { observer: stats },
  )
    .map(taking(0), { name: "read" })
    .map(taking(10), { name: "slow" })
    .map(taking(5), { name: "write" });
  await run.toArray();
  expect(stats.bottleneck).toBe("slow");
  const [source, read, slow, write] = stats.stages as [StageStats, StageStats, StageStats, StageStats];
  expect([source, read, slow, write].map(({ name, taken, given }) => [name, taken, given])).toEqual([
    ["source", 0, 10],
    ["read", 10, 10],
    ["slow", 10, 10],
    ["write", 10, 10],
  ]);
  expect(shares(slow)).toEqual([1, 0, 0]);
  // 10 values every 10 ms, and the last takes 5 ms more: 50 of 105 ms.
  expect(shares(write)).toEqual([0.476, 0.524, 0]);
  expect(shares(read)).toEqual([0, 0, 1]);
  expect(shares(source)).toEqual([0, 0, 1]);
});

inBothRuntimes("counts the share of all workers", async () => {
  for (const ordered of [true, false]) {
    const stats = new PipelineStats();
    const run = pipeline([1, 2, 3, 4, 5, 6], { observer: stats }).map(taking(10), {
      concurrency: 4,
      ordered,
    });
    await run.toArray();
    // 20 ms of 4 workers are 80, of which 60 were work.
    expect(shares(stats.stages[1] as StageStats)[0]).toBe(0.75);
  }
});

inBothRuntimes("says that the reader is slow, if it is", async () => {
  const stats = new PipelineStats();
  await pipeline([1, 2, 3], { observer: stats })
    .map(taking(1))
    .forEach(() => sleep(10));
  expect(stats.bottleneck).toBe("reader");
});

inBothRuntimes("knows what is under way and what waits, while it runs", async () => {
  const stats = new PipelineStats();
  const run = pipeline([1, 2, 3, 4, 5, 6], { observer: stats, capacity: 2 }).map(taking(10), {
    concurrency: 2,
  });
  await run.forEach(async (n) => {
    if (n !== 1) return;
    await sleep(5);
    // 2 waits for the reader, 3 is worked on: a stage takes nothing that none of its workers works on.
    expect(stats.stages[1]).toMatchObject({ active: 1, taken: 3, waiting: 3 });
  });
  expect(stats.stages[1]).toMatchObject({ active: 0, taken: 6, given: 6, waiting: 0 });
});

inBothRuntimes("counts each failure, and what is skipped", async () => {
  const stats = new PipelineStats();
  const numbers = pipeline(["1", "two", "3"], { observer: stats }).map((text) => BigInt(text), {
    onError: (_, { attempt }) => (attempt < 3 ? "retry" : "skip"),
  });
  expect(await numbers.toArray()).toEqual([1n, 3n]);
  expect(stats.stages[1]).toMatchObject({ taken: 3, given: 2, failed: 3, skipped: 1 });
});

inBothRuntimes("sees a stage of one's own work, ask and give", async () => {
  const stats = new PipelineStats();
  const run = pipeline([1, 2], { observer: stats }).through(async function* (input) {
    for await (const n of input) {
      await sleep(10);
      yield n;
      yield n;
    }
  });
  await run.forEach(() => sleep(5));
  // The source is not waited for; each first result is waited with for 5 ms, each second is taken while it works.
  expect(stats.stages[1]).toMatchObject({ taken: 2, given: 4 });
  const [working = 0, input, output = 0] = shares(stats.stages[1] as StageStats);
  expect([input, working + output > 0.999, working > output]).toEqual([0, true, true]);
});

inBothRuntimes("changes nothing: failures, leaving early, and the clean-up of the source", async () => {
  const stats = new PipelineStats();
  let cleaned = 0;
  async function* source(): AsyncGenerator<number> {
    try {
      for (let n = 1; ; n++) yield n;
    } finally {
      cleaned++;
    }
  }
  const failure = new Error("bad value");
  const failing = pipeline(source, { observer: stats }).map((n) => {
    if (n === 3) throw failure;
    return n;
  });
  expect(await failureOf(failing.toArray())).toBe(failure);
  expect(stats.stages[1]).toMatchObject({ taken: 3, given: 2, failed: 1, active: 0 });
  const left: number[] = [];
  for await (const n of pipeline(source, { observer: new PipelineStats() }).map((each) => each)) {
    left.push(n);
    if (n === 2) break;
  }
  expect([left, cleaned]).toEqual([[1, 2], 2]);
});

test("a pipeline that has not run has no bottleneck, and one that took no time has none", async () => {
  await simulate(async () => {
    const stats = new PipelineStats();
    const run = pipeline([1], { observer: stats }).map((n) => n);
    expect([stats.bottleneck, stats.stages.length]).toEqual([undefined, 2]);
    await run.toArray();
    expect(stats.bottleneck).toBe(undefined);
  });
});
