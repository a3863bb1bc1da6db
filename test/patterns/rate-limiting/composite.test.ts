import { withCancel } from "concurrency-model-patterns/context";
import { composite, type LineLimiter } from "concurrency-model-patterns/rate-limiting/composite";
import { FixedWindowLimiter } from "concurrency-model-patterns/rate-limiting/fixed-window";
import { GcraLimiter } from "concurrency-model-patterns/rate-limiting/gcra";
import { SlidingLogLimiter } from "concurrency-model-patterns/rate-limiting/sliding-log";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { random, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../../support/both-runtimes.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

function log(limit: number, windowMs: number): SlidingLogLimiter {
  return new SlidingLogLimiter({ limit, windowMs });
}

const below = (count: number): number => Math.floor(random() * count);

describe("composite", () => {
  test("takes from all parts or from none, whichever refuses", () => {
    const [one, other] = [log(2, 1000), log(3, 1000)];
    const both = composite(one, other);
    expect([both.limit, both.allow(3), both.allow(2), both.allow()]).toEqual([2, false, true, false]);
    expect([one.check().remaining, other.check().remaining]).toEqual([0, 1]);
    const reversed = composite(other, one);
    expect([reversed.allow(), other.check().remaining]).toEqual([false, 1]);
  });

  test("says what its parts say together", () => {
    const [slow, fast] = [new GcraLimiter({ perSecond: 1, burst: 5 }), log(2, 100)];
    const both = composite(fast, slow);
    both.allow(2);
    const { ok, remaining, retryAfterMs, resetAfterMs } = both.check();
    expect([ok, remaining]).toEqual([false, 0]);
    expect(retryAfterMs).toBeGreaterThan(90);
    expect(retryAfterMs).toBeLessThanOrEqual(100);
    expect(resetAfterMs).toBeGreaterThan(1900);
  });

  test("a part that is named twice counts once, also within others", () => {
    const part = log(3, 1000);
    expect(composite(part, composite(part, log(9, 1000)), part).allow(2)).toBe(true);
    expect(part.check().remaining).toBe(1);
    expect(thrownBy(() => composite(...([] as unknown as [LineLimiter])))).toBeInstanceOf(TypeError);
  });

  inBothRuntimes(
    "who waits for the slow part leaves the fast one to others",
    async () => {
      const [everybody, noisy] = [log(10, 100), log(1, 1000)];
      const both = composite(everybody, noisy);
      both.allow();
      const first = both.wait().then(() => now());
      const startMs = now();
      await settle();
      expect([noisy.waiting, everybody.waiting, both.waiting]).toEqual([1, 0, 1]);
      for (let n = 0; n < 20; n++) await everybody.wait();
      expect(now() - startMs).toBeLessThan(300);
      expect((await first) - startMs).toBeCloseTo(1000, 3);
    },
    20,
  );

  inBothRuntimes(
    "who has come to the head of one part keeps it until all have let it through",
    async () => {
      const [everybody, tenant] = [log(1, 100), log(1, 200)];
      const both = composite(everybody, tenant);
      everybody.allow();
      const order: string[] = [];
      const note = (name: string) => (): number => order.push(name);
      const waits = [everybody.wait().then(note("direct"))];
      await settle();
      waits.push(both.wait().then(note("both")));
      await settle();
      expect([tenant.waiting, everybody.waiting]).toEqual([1, 2]);
      expect([tenant.allow(), tenant.check().ok, tenant.check().remaining]).toEqual([false, false, 1]);
      expect(tenant.check().retryAfterMs).toBeGreaterThan(0);
      waits.push(tenant.wait().then(note("tenant")), everybody.wait().then(note("late")));
      await Promise.all(waits);
      expect(order.slice(0, 2)).toEqual(["direct", "both"]);
      expect(order).toHaveLength(4);
      expect([tenant.waiting, everybody.waiting]).toEqual([0, 0]);
    },
    20,
  );

  inBothRuntimes(
    "one that is given up takes nothing from any part, and opens them all to those behind",
    async () => {
      const [fast, slow] = [log(2, 100), new FixedWindowLimiter({ limit: 5, windowMs: 1000 })];
      fast.allow(2);
      const controller = new AbortController();
      const failure = failureOf(composite(fast, slow).wait(2, controller));
      await settle();
      const behind = slow.wait(5);
      await settle();
      expect([fast.waiting, slow.waiting]).toEqual([1, 2]);
      const startMs = now();
      controller.abort(new Error("enough"));
      expect(await failure).toMatchObject({ message: "enough" });
      await behind;
      expect([now() - startMs, fast.waiting, slow.waiting]).toEqual([0, 0, 0]);
      expect(slow.check(0).remaining).toBe(0);
    },
    20,
  );

  test("nobody starves and no part is exceeded, whatever is combined with what and given up", async () => {
    await overSeeds(40, async (seed) => {
      await simulate(
        async (ctx) => {
          const limits = [
            { limit: 2, windowMs: 50 },
            { limit: 3, windowMs: 70 },
            { limit: 4, windowMs: 100 },
          ];
          const parts = limits.map((window) => new SlidingLogLimiter(window));
          const grants: { readonly parts: readonly LineLimiter[]; readonly atMs: number }[] = [];
          const use = async (): Promise<void> => {
            const chosen = parts.filter(() => below(2) === 0).toSorted(() => below(2) - 0.5);
            const [first = parts[0] as LineLimiter, ...rest] = chosen;
            const ask = 1 + below(2);
            const note = (): void => {
              for (let n = 0; n < ask; n++) grants.push({ parts: [first, ...rest], atMs: now() });
            };
            const { ctx: scope, cancel } = withCancel(ctx);
            const wait = composite(first, ...rest)
              .wait(ask, scope)
              .then(note, () => {});
            await sleep(below(60), ctx);
            if (below(4) === 0) cancel();
            await wait;
            cancel();
          };
          const users = async (group: TaskGroup): Promise<void> => {
            for (let task = 0; task < 8; task++) {
              group.go(async () => {
                for (let round = 0; round < 5; round++) await use();
              });
            }
            await sleep(0, group.ctx);
          };
          await TaskGroup.run(users, { signal: ctx.signal });
          expect(parts.map(({ waiting }) => waiting)).toEqual([0, 0, 0]);
          for (const [index, part] of parts.entries()) {
            const { limit, windowMs } = limits[index] as { limit: number; windowMs: number };
            const times = grants.filter((grant) => grant.parts.includes(part)).map(({ atMs }) => atMs);
            for (const [at, atMs] of times.entries())
              expect((times[at + limit] ?? Infinity) - atMs).toBeGreaterThanOrEqual(windowMs - 1e-9);
          }
        },
        { seed },
      );
    });
  });
});
