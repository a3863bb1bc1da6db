import { describe, expect, test } from "vitest";
import { background, withTimeout } from "concurrency-model-patterns/context";
import { TimeoutError } from "concurrency-model-patterns/errors";
import { type JobContext, WorkerPool } from "concurrency-model-patterns/pools";
import { now, sleep } from "concurrency-model-patterns/timers";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { hostTimers } from "../../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../../support/outcomes.ts";
import { sleepers } from "./support.ts";

describe("timeoutMs", () => {
  inBothRuntimes(
    "counts from the start of a job, not from the call",
    async () => {
      await using pool = sleepers({ workers: 1 });
      const first = pool.run(100);
      const second = pool.run(20, { timeoutMs: 30 });
      const third = ended(pool.run(40, { timeoutMs: 30 }));
      expect(await Promise.all([first, second])).toEqual([100, 20]);
      expect(now()).toBe(120);
      expect(await third).toEqual({
        error: new TimeoutError("the job took longer than 30 ms", { phase: "run" }),
      });
      expect(now()).toBe(150);
    },
    30,
  );

  inBothRuntimes(
    "tells the handler through its context, as a timeout and as a deadline",
    async () => {
      const seen: unknown[] = [];
      const handler = async (_: string, { ctx }: JobContext): Promise<void> => {
        await sleep(5);
        seen.push(ctx.deadlineMs);
        await sleep(1000, ctx).catch((error: unknown) => seen.push(error === ctx.cause, ctx.error));
      };
      await using pool = new WorkerPool(handler, { workers: 1 });
      const error = await failureOf(pool.run("slow", { timeoutMs: 10 }));
      await pool.drain();
      expect(seen).toEqual([10, true, error]);
      expect(error).toBeInstanceOf(TimeoutError);
    },
    30,
  );

  inBothRuntimes(
    "rejects the caller at once, and frees the worker when the handler has ended",
    async () => {
      await using pool = new WorkerPool(() => sleep(50), { workers: 1 });
      const deaf = ended(pool.run(undefined, { timeoutMs: 10 }));
      const next = pool.run(undefined);
      await deaf;
      expect([now(), pool.active, pool.waiting]).toEqual([10, 1, 1]);
      await next;
      expect(now()).toBe(100);
    },
    30,
  );

  inBothRuntimes(
    "gives way to an earlier deadline of the caller",
    async () => {
      await using pool = sleepers({ workers: 1 });
      const { ctx, cancel } = withTimeout(background, 10);
      const error = (await failureOf(pool.run(100, { signal: ctx.signal, timeoutMs: 50 }))) as Error;
      expect([now(), error.message]).toEqual([10, "context deadline exceeded"]);
      cancel();
    },
    30,
  );

  test("leaves no timer behind once the job has settled", async () => {
    const before = hostTimers();
    await using pool = new WorkerPool((n: number) => n, { workers: 1 });
    await Promise.all([1, 2, 3].map((n) => pool.run(n, { timeoutMs: 1e6, queueTimeoutMs: 1e6 })));
    expect(hostTimers()).toBe(before);
  });

  test("is a number above 0; a wrong one throws at the call", async () => {
    const pool = sleepers({ workers: 1 });
    for (const wrong of [0, -1, Number.NaN]) {
      expect(thrownBy(() => pool.run(1, { timeoutMs: wrong }))).toBeInstanceOf(RangeError);
      expect(thrownBy(() => pool.run(1, { queueTimeoutMs: wrong }))).toBeInstanceOf(RangeError);
    }
    await pool.drain();
  });
});

describe("queueTimeoutMs", () => {
  inBothRuntimes(
    "ends the wait in the queue and the wait for room, and never a job that has begun",
    async () => {
      await using pool = sleepers({ workers: 1, capacity: 1 });
      await pool.ready();
      const begun = pool.run(100, { queueTimeoutMs: 10 });
      const queued = ended(pool.run(1, { queueTimeoutMs: 20 }));
      const outside = ended(pool.run(1, { queueTimeoutMs: 10 }));
      expect(await outside).toEqual({
        error: new TimeoutError("no worker took the job within 10 ms", { phase: "queue" }),
      });
      expect([now(), pool.waiting]).toEqual([10, 1]);
      expect(await queued).toEqual({
        error: new TimeoutError("no worker took the job within 20 ms", { phase: "queue" }),
      });
      expect([now(), pool.waiting]).toEqual([20, 0]);
      expect(await begun).toBe(100);
    },
    30,
  );

  inBothRuntimes(
    "makes room for the next caller",
    async () => {
      await using pool = sleepers({ workers: 1, capacity: 1 });
      const trail: string[] = [];
      const running = pool.run(100);
      const impatient = ended(pool.run(1, { queueTimeoutMs: 10 })).then(() => trail.push(`left at ${now()}`));
      const patient = pool.run(1);
      await sleep(20);
      trail.push(`room: ${pool.stats.waiting} ${pool.stats.waitingForRoom}`);
      await Promise.all([running, impatient, patient]);
      expect(trail).toEqual(["left at 10", "room: 1 0"]);
    },
    30,
  );
});
