import { AsyncLocalStorage } from "node:async_hooks";
import { background, type Context, withCancel, withTimeout } from "concurrency-model-patterns/context";
import {
  type Lease,
  ResourcePool,
  type ResourcePoolOptions,
} from "concurrency-model-patterns/resource-pooling";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { random, type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test, vi } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { listenersOf } from "../support/listeners.ts";
import { failureOf, thrownBy } from "../support/outcomes.ts";

/** Numbers its resources from 1. */
function numbered(options: Partial<ResourcePoolOptions<number>> = {}): ResourcePool<number> {
  let made = 0;
  return new ResourcePool({ create: () => ++made, max: 2, ...options });
}

/** The counters of a pool, to compare them whole. */
function counts({ size, idle, active, waiting, created }: ResourcePool<number>): Record<string, number> {
  return { size, idle, active, waiting, created };
}

describe("acquire", () => {
  inBothRuntimes("makes resources up to the limit, then lends what comes back", async () => {
    const pool = numbered();
    const [one, two] = [await pool.acquire(), await pool.acquire()];
    const third = pool.acquire();
    await settle();
    expect(counts(pool)).toEqual({ size: 2, idle: 0, active: 2, waiting: 1, created: 2 });
    expect([one.value, two.value]).toEqual([1, 2]);
    two.release();
    expect((await third).value).toBe(2);
    one.release();
    (await third).release();
    expect(counts(pool)).toEqual({ size: 2, idle: 2, active: 0, waiting: 0, created: 2 });
    await pool.drain();
    expect(counts(pool)).toEqual({ size: 0, idle: 0, active: 0, waiting: 0, created: 2 });
  });

  inBothRuntimes("serves first come, first served", async () => {
    const pool = numbered({ max: 1 });
    const held = await pool.acquire();
    const order: number[] = [];
    const users = [0, 1, 2, 3].map((user) => pool.use(() => order.push(user)));
    await settle();
    held.release();
    await Promise.all(users);
    expect(order.toSorted((one, other) => one - other)).toEqual([0, 1, 2, 3]);
    await pool.drain();
  });

  test("keeps the order of arrival", async () => {
    const pool = numbered({ max: 1 });
    const held = await pool.acquire();
    const order: number[] = [];
    const users = [0, 1, 2, 3].map((user) => pool.use(() => order.push(user)));
    held.release();
    await Promise.all(users);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  test.each([
    ["lifo", 2],
    ["fifo", 1],
  ] as const)("lends idle resources %s", async (order, expected) => {
    const pool = numbered({ order });
    const leases = [await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.release();
    expect((await pool.acquire()).value).toBe(expected);
  });

  inBothRuntimes("rejects one who is given up already, though there is something to be had", async () => {
    const pool = numbered();
    const { ctx, cancel } = withCancel(background);
    const reason = new Error("given up");
    cancel(reason);
    expect(await failureOf(pool.acquire(ctx))).toBe(reason);
    expect(counts(pool)).toEqual({ size: 0, idle: 0, active: 0, waiting: 0, created: 0 });
    await pool.drain();
  });

  inBothRuntimes("lets go at once of one who is given up, who then holds nothing", async () => {
    const pool = numbered({ max: 1 });
    const held = await pool.acquire();
    const controller = new AbortController();
    const reason = new Error("given up");
    const leaving = failureOf(pool.acquire({ signal: controller.signal }));
    const staying = pool.acquire();
    await settle();
    expect([pool.waiting, listenersOf(controller.signal)]).toEqual([2, 1]);
    controller.abort(reason);
    expect(await leaving).toBe(reason);
    expect([pool.waiting, listenersOf(controller.signal)]).toEqual([1, 0]);
    held.release();
    (await staying).release();
    await pool.drain();
  });

  inBothRuntimes("keeps what was granted before it was given up", async () => {
    const pool = numbered();
    const { ctx, cancel } = withCancel(background);
    const lease = await pool.acquire(ctx);
    cancel();
    expect(lease.value).toBe(1);
    lease.release();
    expect(pool.idle).toBe(1);
    await pool.drain();
  });

  inBothRuntimes(
    "hands what is released to who stays, when others are given up in the same moment",
    async () => {
      const pool = numbered({ max: 1 });
      const held = await pool.acquire();
      const { ctx, cancel } = withCancel(background);
      ctx.signal.addEventListener("abort", () => held.release());
      const leaving = [failureOf(pool.acquire(ctx)), failureOf(pool.acquire(ctx))];
      await settle();
      const staying = pool.acquire();
      await settle();
      cancel();
      expect(await Promise.all(leaving)).toMatchObject([{ code: "CANCELED" }, { code: "CANCELED" }]);
      (await staying).release();
      expect(counts(pool)).toEqual({ size: 1, idle: 1, active: 0, waiting: 0, created: 1 });
      await pool.drain();
    },
  );

  inBothRuntimes("gives a timeout after acquireTimeoutMs", async () => {
    const pool = numbered({ max: 1, acquireTimeoutMs: 5 });
    const held = await pool.acquire();
    const startMs = now();
    expect(await failureOf(pool.acquire())).toMatchObject({
      code: "TIMEOUT",
      message: "no resource was free within 5 ms",
      phase: "queue",
    });
    expect(now() - startMs).toBeGreaterThanOrEqual(5);
    const next = pool.acquire();
    await sleep(0);
    held.release();
    (await next).release();
    await pool.drain();
  });

  test("leaves no timer", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        const pool = numbered({ max: 1, acquireTimeoutMs: 1000 });
        const held = await pool.acquire();
        const { ctx, cancel } = withCancel(background);
        const served = pool.acquire();
        await sleep(0);
        const left = failureOf(pool.acquire(ctx));
        const closed = failureOf(pool.acquire());
        await sleep(0);
        cancel();
        held.release();
        const lease = await served;
        pool.close();
        await Promise.all([left, closed]);
        lease.release();
        await pool.drain();
        expect(now()).toBe(0);
      },
      { onEvent: (event) => events.push(event) },
    );
    const count = (kind: string): number => events.filter(({ k }) => k === kind).length;
    expect([count("timer.set"), count("timer.fire"), count("timer.clear")]).toEqual([6, 2, 4]);
  });

  test("tells a context's deadline from its own timeout and from a cancellation", async () => {
    await simulate(async (ctx) => {
      const pool = numbered({ max: 1 });
      const held = await pool.acquire(ctx);
      const { ctx: tight, cancel } = withTimeout(ctx, 20);
      expect(await failureOf(pool.acquire(tight))).toMatchObject({ message: "context deadline exceeded" });
      cancel();
      held.release();
      await pool.drain(ctx);
    });
  });

  inBothRuntimes("is refused when nothing is free and `capacity` callers wait", async () => {
    const pool = numbered({ max: 1, capacity: 1 });
    const held = await pool.acquire();
    const waiting = pool.acquire();
    await settle();
    expect(await failureOf(pool.acquire())).toMatchObject({ code: "FULL" });
    held.release();
    (await waiting).release();
    await pool.drain();
  });

  inBothRuntimes("with a capacity of 0 waits for what is made for it, and for nothing else", async () => {
    const pool = numbered({ create: async () => sleep(1).then(() => 7), max: 1, capacity: 0 });
    const first = pool.acquire();
    await sleep(0);
    expect(await failureOf(pool.acquire())).toMatchObject({ code: "FULL" });
    expect((await first).value).toBe(7);
    expect(await failureOf(pool.acquire())).toMatchObject({ code: "FULL" });
    (await first).release();
    (await pool.acquire()).release();
    await pool.drain();
  });
});

describe("tryAcquire", () => {
  test("takes what is idle, and never makes anything", async () => {
    const pool = numbered();
    expect(pool.tryAcquire()).toBeUndefined();
    (await pool.acquire()).release();
    const lease = pool.tryAcquire();
    expect(lease?.value).toBe(1);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(counts(pool)).toEqual({ size: 1, idle: 0, active: 1, waiting: 0, created: 1 });
    pool.close();
    expect(thrownBy(() => pool.tryAcquire())).toMatchObject({ code: "CLOSED" });
  });
});

describe("a lease", () => {
  test("ends once: what comes later does nothing", async () => {
    const destroyed: number[] = [];
    const pool = numbered({ destroy: (resource) => void destroyed.push(resource) });
    const lease = await pool.acquire();
    lease.release();
    lease.release();
    lease.discard();
    lease[Symbol.dispose]();
    await lease[Symbol.asyncDispose]();
    const next = await pool.acquire();
    lease.release();
    expect(counts(pool)).toEqual({ size: 1, idle: 0, active: 1, waiting: 0, created: 1 });
    expect(next.value).toBe(1);
    expect(destroyed).toEqual([]);
  });

  test("does not show its resource once it was given back", async () => {
    const lease = await numbered().acquire();
    lease.release();
    expect(thrownBy(() => lease.value)).toMatchObject({ code: "MISUSE" });
  });

  inBothRuntimes("that is discarded makes room for another resource, once it is destroyed", async () => {
    const destroyed: unknown[] = [];
    const destroy = async (resource: number, cause?: unknown): Promise<void> => {
      await sleep(1);
      destroyed.push([resource, cause]);
    };
    const pool = numbered({ max: 1, destroy });
    const lease = await pool.acquire();
    const next = pool.acquire();
    await settle();
    lease.discard("broken");
    expect(counts(pool)).toEqual({ size: 1, idle: 0, active: 0, waiting: 1, created: 1 });
    expect((await next).value).toBe(2);
    expect(destroyed).toEqual([[1, "broken"]]);
    (await next).release();
    await pool.drain();
    expect(destroyed).toEqual([
      [1, "broken"],
      [2, undefined],
    ]);
  });
});

describe("use", () => {
  inBothRuntimes("gives the resource back, also when the work fails", async () => {
    const pool = numbered();
    const failure = new Error("no such table");
    expect(await pool.use((resource) => resource * 10)).toBe(10);
    expect(await failureOf(pool.use(() => Promise.reject(failure)))).toBe(failure);
    expect(
      await failureOf(
        pool.use(() => {
          throw failure;
        }),
      ),
    ).toBe(failure);
    expect(counts(pool)).toEqual({ size: 1, idle: 1, active: 0, waiting: 0, created: 1 });
    await pool.use((_resource, lease) => lease.discard());
    await settle();
    expect(pool.size).toBe(0);
    await pool.drain();
  });
});

describe("a create that fails", () => {
  const refused = new Error("connection refused");

  for (const [kind, create] of [
    ["throws", () => expect.unreachable()],
    ["rejects", () => Promise.reject(refused)],
  ] as const) {
    inBothRuntimes(
      `rejects its caller and frees the slot when it ${kind}`,
      async () => {
        let calls = 0;
        const pool = new ResourcePool<number>({
          create: () => {
            calls++;
            if (kind === "throws") throw refused;
            return create();
          },
          max: 3,
        });
        const failures = Array.from({ length: 20 }, () => failureOf(pool.acquire()));
        expect(new Set(await Promise.all(failures))).toEqual(new Set([refused]));
        expect(calls).toBe(20);
        expect(counts(pool)).toEqual({ size: 0, idle: 0, active: 0, waiting: 0, created: 0 });
        await pool.drain();
      },
      20,
    );
  }

  inBothRuntimes("does not harm those who come later", async () => {
    let calls = 0;
    const pool = new ResourcePool({
      create: () => {
        if (++calls === 1) throw refused;
        return calls;
      },
      max: 1,
    });
    expect(await failureOf(pool.acquire())).toBe(refused);
    expect(await pool.use((resource) => resource)).toBe(2);
    await pool.drain();
  });

  inBothRuntimes("does not reject a caller for whom another is being made", async () => {
    let calls = 0;
    const errors: unknown[] = [];
    const create = async (): Promise<number> => {
      const call = ++calls;
      await sleep(call);
      if (call === 1) throw refused;
      return call;
    };
    const pool = new ResourcePool({
      create,
      min: 2,
      max: 2,
      onError: (error, what) => errors.push([error, what]),
    });
    const lease = await pool.acquire();
    expect([lease.value, pool.size]).toEqual([2, 1]);
    expect(errors).toEqual([[refused, "create"]]);
    lease.release();
    await pool.drain();
  });

  inBothRuntimes(
    "whose caller has left is told to onError, and disturbs nobody",
    async () => {
      const errors: unknown[] = [];
      const create = async (): Promise<number> => {
        await sleep(5);
        throw refused;
      };
      for (const onError of [(error: unknown) => void errors.push(error), undefined]) {
        const pool = new ResourcePool({ create, max: 1, ...(onError === undefined ? {} : { onError }) });
        const { ctx, cancel } = withCancel(background);
        const leaving = failureOf(pool.acquire(ctx));
        await sleep(1);
        cancel();
        await leaving;
        expect(pool.size).toBe(1);
        await sleep(10);
        expect(pool.size).toBe(0);
        await pool.drain();
      }
      expect(errors).toEqual([refused]);
    },
    20,
  );
});

describe("what is being made for a caller who leaves", () => {
  for (const how of ["cancelled", "timed out"] as const) {
    inBothRuntimes(
      `goes to the next one (${how})`,
      async () => {
        const options = how === "timed out" ? { acquireTimeoutMs: 4 } : {};
        const pool = numbered({ create: async () => sleep(10).then(() => 1), max: 1, ...options });
        const { ctx, cancel } = withCancel(background);
        const leaving = failureOf(pool.acquire(ctx));
        await sleep(1);
        if (how === "cancelled") cancel();
        expect(await leaving).toMatchObject({ code: how === "cancelled" ? "CANCELED" : "TIMEOUT" });
        expect(counts(pool)).toEqual({ size: 1, idle: 0, active: 0, waiting: 0, created: 0 });
        await sleep(20);
        expect(counts(pool)).toEqual({ size: 1, idle: 1, active: 0, waiting: 0, created: 1 });
        (await pool.acquire()).release();
        expect(pool.created).toBe(1);
        cancel();
        await pool.drain();
      },
      20,
    );
  }

  inBothRuntimes(
    "is kept, if somebody else gave theirs back first",
    async () => {
      let made = 0;
      const create = async (): Promise<number> => {
        const id = ++made;
        if (id === 2) await sleep(20);
        return id;
      };
      const pool = new ResourcePool({ create, max: 2 });
      const first = await pool.acquire();
      const second = pool.acquire();
      await sleep(1);
      first.release();
      expect((await second).value).toBe(1);
      await sleep(40);
      expect(counts(pool)).toEqual({ size: 2, idle: 1, active: 1, waiting: 0, created: 2 });
      (await second).release();
      await pool.drain();
    },
    20,
  );
});

describe("min", () => {
  inBothRuntimes("is made by the first who needs one, not before", async () => {
    const pool = numbered({ min: 3, max: 5 });
    await settle();
    expect(pool.size).toBe(0);
    const lease = await pool.acquire();
    await settle();
    expect(counts(pool)).toEqual({ size: 3, idle: 2, active: 1, waiting: 0, created: 3 });
    lease.discard();
    await settle();
    expect(pool.size).toBe(2);
    (await pool.acquire()).release();
    await settle();
    expect(counts(pool)).toEqual({ size: 3, idle: 3, active: 0, waiting: 0, created: 4 });
    await pool.drain();
  });

  inBothRuntimes("can be made in advance", async () => {
    const pool = numbered({ create: async () => sleep(1).then(() => 0), min: 2, max: 5 });
    await Promise.all([pool.ready(), pool.ready()]);
    expect(counts(pool)).toEqual({ size: 2, idle: 2, active: 0, waiting: 0, created: 2 });
    await pool.ready();
    expect(pool.created).toBe(2);
    await pool.drain();
    expect(await failureOf(pool.ready())).toMatchObject({ code: "CLOSED" });
  });

  inBothRuntimes("that cannot be made fails who waits for it to be ready", async () => {
    const refused = new Error("refused");
    const onError = vi.fn<() => void>();
    const pool = numbered({ create: () => Promise.reject(refused), min: 2, onError });
    expect(await failureOf(pool.ready())).toBe(refused);
    const { ctx, cancel } = withCancel(background);
    cancel();
    expect(await failureOf(pool.ready(ctx))).toMatchObject({ code: "CANCELED" });
    await settle();
    expect([pool.size, onError.mock.calls.length]).toEqual([0, 2]);
    await pool.drain();
  });
});

describe("validate", () => {
  inBothRuntimes(
    "is asked before an idle resource is lent, and replaces those that are no good",
    async () => {
      const asked: number[] = [];
      const destroyed: number[] = [];
      const pool = numbered({
        max: 3,
        validate: async (resource) => {
          asked.push(resource);
          await sleep(1);
          return resource === 3;
        },
        destroy: (resource) => void destroyed.push(resource),
      });
      const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
      expect(asked).toEqual([]);
      for (const lease of leases.toSorted((one, other) => other.value - one.value)) lease.release();
      expect(pool.tryAcquire()?.value).toBe(1);
      const good = await pool.acquire();
      expect([good.value, asked, destroyed]).toEqual([3, [2, 3], [2]]);
      const fresh = await pool.acquire();
      expect(fresh.value).toBe(4);
      expect(counts(pool)).toEqual({ size: 3, idle: 0, active: 3, waiting: 0, created: 4 });
    },
    20,
  );

  inBothRuntimes("that fails counts as no, and is told to onError", async () => {
    const failure = new Error("broken pipe");
    const errors: unknown[] = [];
    for (const reject of [true, false]) {
      const pool = numbered({
        validate: () => {
          if (reject) return Promise.reject(failure);
          throw failure;
        },
        onError: (error, callback) => void errors.push([error, callback]),
      });
      (await pool.acquire()).release();
      expect(await pool.use((resource) => resource)).toBe(2);
      await pool.drain();
    }
    expect(errors).toEqual([
      [failure, "validate"],
      [failure, "validate"],
    ]);
  });

  inBothRuntimes(
    "for a caller who leaves leaves the resource idle",
    async () => {
      const pool = numbered({ max: 1, validate: async () => sleep(5).then(() => true) });
      (await pool.acquire()).release();
      const { ctx, cancel } = withCancel(background);
      const leaving = failureOf(pool.acquire(ctx));
      await sleep(1);
      expect(counts(pool)).toEqual({ size: 1, idle: 0, active: 0, waiting: 1, created: 1 });
      cancel();
      await leaving;
      await sleep(10);
      expect(counts(pool)).toEqual({ size: 1, idle: 1, active: 0, waiting: 0, created: 1 });
      await pool.drain();
    },
    20,
  );
});

describe("destroy", () => {
  inBothRuntimes("that fails frees the slot and is told to onError", async () => {
    const failure = new Error("still busy");
    const errors: unknown[] = [];
    const pool = numbered({
      max: 1,
      destroy: (resource) => {
        if (resource === 1) throw failure;
        return Promise.reject(failure);
      },
      onError: (error, callback) => void errors.push([error, callback]),
    });
    (await pool.acquire()).discard();
    (await pool.acquire()).release();
    await pool.drain();
    expect(errors).toEqual([
      [failure, "destroy"],
      [failure, "destroy"],
    ]);
    expect(pool.size).toBe(0);
  });

  test("that fails and that nobody is told of is an uncaught exception, as is a failing onError", async () => {
    const uncaught: unknown[] = [];
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => uncaught.push(error));
    try {
      const [one, two] = [new Error("one"), new Error("two")];
      const silent = numbered({ destroy: () => Promise.reject(one) });
      const broken = numbered({
        destroy: () => Promise.reject(one),
        onError: () => {
          throw two;
        },
      });
      for (const pool of [silent, broken]) {
        (await pool.acquire()).release();
        await pool.drain();
      }
      await settle();
      expect(uncaught).toEqual([one, two]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of before) process.on("uncaughtException", listener);
    }
  });
});

describe("close and drain", () => {
  inBothRuntimes("settle those who wait at once, and refuse those who come", async () => {
    const pool = numbered({ max: 1, acquireTimeoutMs: 60_000 });
    const held = await pool.acquire();
    const waiting = [failureOf(pool.acquire()), failureOf(pool.acquire())];
    await settle();
    pool.close();
    pool.close();
    expect(pool.closed).toBe(true);
    expect(await Promise.all(waiting)).toMatchObject([{ code: "CLOSED" }, { code: "CLOSED" }]);
    expect(await failureOf(pool.acquire())).toMatchObject({ code: "CLOSED" });
    expect(await failureOf(pool.use(() => 0))).toMatchObject({ code: "CLOSED" });
    expect(counts(pool)).toEqual({ size: 1, idle: 0, active: 1, waiting: 0, created: 1 });
    held.release();
    await pool[Symbol.asyncDispose]();
    expect(pool.size).toBe(0);
  });

  inBothRuntimes(
    "wait for what is lent, and destroy everything once",
    async () => {
      const destroyed: number[] = [];
      const destroy = async (resource: number): Promise<void> => {
        await sleep(1);
        destroyed.push(resource);
      };
      const pool = numbered({ max: 3, destroy });
      const leases: Lease<number>[] = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
      leases[0]?.release();
      const drained = pool.drain();
      await sleep(5);
      expect([destroyed, pool.size]).toEqual([[1], 2]);
      leases[1]?.release();
      leases[2]?.discard();
      await drained;
      expect(destroyed.toSorted((one, other) => one - other)).toEqual([1, 2, 3]);
      await pool.drain();
    },
    20,
  );

  inBothRuntimes("can be left by the caller, and go on", async () => {
    const pool = numbered();
    const lease = await pool.acquire();
    const { ctx, cancel } = withCancel(background);
    const leaving = failureOf(pool.drain(ctx));
    await settle();
    cancel();
    expect(await leaving).toMatchObject({ code: "CANCELED" });
    lease.release();
    await pool.drain();
    expect(pool.size).toBe(0);
  });

  inBothRuntimes("end the context of a create, whose resource is then destroyed", async () => {
    const seen: string[] = [];
    const create = async (ctx: Context): Promise<number> => {
      await sleep(60_000, ctx).catch(() => seen.push(String(ctx.error?.code)));
      return 1;
    };
    const pool = numbered({ create, destroy: () => void seen.push("destroyed") });
    const waiting = failureOf(pool.acquire());
    await sleep(1);
    await pool.drain();
    expect(await waiting).toMatchObject({ code: "CLOSED" });
    expect(seen).toEqual(["CANCELED", "destroyed"]);
  });

  inBothRuntimes("take a create that gives up when told to for no error", async () => {
    const onError = vi.fn<() => void>();
    const pool = numbered({ create: (ctx) => sleep(60_000, ctx).then(() => 1), onError });
    const waiting = failureOf(pool.acquire());
    await sleep(1);
    await pool.drain();
    await waiting;
    expect(onError).not.toHaveBeenCalled();
  });
});

describe("a pool", () => {
  test("calls back in the async context in which it was made", async () => {
    const request = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const note = (what: string): void => void seen.push([what, request.getStore()]);
    const pool = request.run("maker", () =>
      numbered({
        max: 1,
        create: () => {
          note("create");
          return 1;
        },
        validate: () => {
          note("validate");
          return false;
        },
        destroy: () => note("destroy"),
      }),
    );
    await request.run("first", async () => (await pool.acquire()).release());
    await request.run("second", () => pool.use(() => note("use")));
    await pool.drain();
    expect(seen).toEqual([
      ["create", "maker"],
      ["validate", "maker"],
      ["destroy", "maker"],
      ["create", "maker"],
      ["use", "second"],
      ["destroy", "maker"],
    ]);
  });

  test("shares undefined as well as anything", async () => {
    const pool = new ResourcePool<undefined>({ create: () => undefined, max: 1 });
    (await pool.acquire()).release();
    expect(pool.tryAcquire()?.value).toBeUndefined();
    expect(pool.active).toBe(1);
  });

  test("records who holds what", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        const pool = numbered({ name: "db" });
        await pool.use(() => sleep(1));
        await pool.drain();
      },
      { seed: 1, onEvent: (event) => events.push(event) },
    );
    const kinds = events.flatMap((event) => ("r" in event ? [event.k] : []));
    expect(kinds).toEqual(["hold", "free", "res.close"]);
    expect(events).toContainEqual(expect.objectContaining({ k: "hold", units: 1, item: 1 }));
    expect(events).toContainEqual(
      expect.objectContaining({ k: "res.new", type: "pool", name: "db", cap: 2 }),
    );
  });

  test("never has more than its limit, and loses nothing, whatever happens to it", async () => {
    await overSeeds(80, async (seed) => {
      await simulate(randomUse, { seed });
    });
  });

  test("settles twenty thousand callers who give up", async () => {
    const pool = numbered({ max: 1, capacity: Number.POSITIVE_INFINITY });
    const held = await pool.acquire();
    const { ctx, cancel } = withCancel(background);
    const waits = Array.from({ length: 20_000 }, () => pool.acquire(ctx));
    expect(pool.waiting).toBe(20_000);
    cancel();
    const ends = await Promise.allSettled(waits);
    expect(ends.every(({ status }) => status === "rejected")).toBe(true);
    expect(pool.waiting).toBe(0);
    held.release();
  });

  test("checks its arguments at the call", () => {
    const create = (): number => 1;
    const wrong: [string, object][] = [
      ["create", { create: 1, max: 1 }],
      ["max", { create, max: 0 }],
      ["max", { create }],
      ["max", { create, max: Number.POSITIVE_INFINITY }],
      ["min", { create, max: 1, min: 2 }],
      ["capacity", { create, max: 1, capacity: -1 }],
      ["order", { create, max: 1, order: "random" }],
      ["acquireTimeoutMs", { create, max: 1, acquireTimeoutMs: Number.NaN }],
      ["destroy", { create, max: 1, destroy: "yes" }],
      ["validate", { create, max: 1, validate: null }],
      ["onError", { create, max: 1, onError: 1 }],
    ];
    for (const [name, options] of wrong) {
      expect(() => new ResourcePool(options as ResourcePoolOptions<number>)).toThrow(`${name} must be`);
    }
    expect(() => numbered().use(undefined as unknown as () => void)).toThrow("work must be a function");
  });
});

/** Ten tasks at a pool whose callbacks are slow and fail now and then; they give up and discard now and then, too. */
async function randomUse(ctx: Context): Promise<void> {
  const below = (count: number): number => Math.floor(random() * count);
  const alive = new Set<number>();
  const lent = new Set<number>();
  let [made, being, destroyed, unheard] = [0, 0, 0, 0];
  const max = 1 + below(4);
  const create = async (): Promise<number> => {
    expect(++being + alive.size).toBeLessThanOrEqual(max);
    if (below(2) === 0) await sleep(below(20));
    being--;
    if (below(4) === 0) throw new Error("refused");
    alive.add(++made);
    return made;
  };
  const pool = new ResourcePool({
    create,
    validate: async (resource) => {
      expect(alive.has(resource) && !lent.has(resource)).toBe(true);
      if (below(2) === 0) await sleep(below(5));
      return below(5) > 0;
    },
    destroy: async (resource) => {
      expect(lent.has(resource)).toBe(false);
      await sleep(below(5));
      expect(alive.delete(resource)).toBe(true);
      destroyed++;
      if (below(5) === 0) throw new Error("busy");
    },
    onError: () => void unheard++,
    min: below(max + 1),
    max,
    order: below(2) === 0 ? "lifo" : "fifo",
    capacity: 3 + below(10),
    acquireTimeoutMs: 5 + below(40),
    reset: async (resource) => {
      expect(alive.has(resource) && !lent.has(resource)).toBe(true);
      if (below(2) === 0) await sleep(below(5));
      if (below(6) === 0) throw new Error("still dirty");
    },
    ...(below(2) === 0 ? {} : { backoff: () => below(20) }),
    ...(below(2) === 0 ? {} : { createTimeoutMs: 5 + below(10) }),
    ...(below(2) === 0 ? {} : { idleTimeoutMs: below(20) }),
    ...(below(2) === 0 ? {} : { maxLifetimeMs: 10 + below(50) }),
    ...(below(2) === 0 ? {} : { maxUses: 1 + below(4) }),
  });
  const useOnce = async (): Promise<void> => {
    const { ctx: scope, cancel } = withTimeout(ctx, below(60));
    try {
      const lease = await pool.acquire(scope);
      const resource = lease.value;
      expect(alive.has(resource) && !lent.has(resource)).toBe(true);
      lent.add(resource);
      await sleep(below(15));
      lent.delete(resource);
      if (below(4) === 0) lease.discard();
      else lease.release();
    } catch (error) {
      if (error instanceof Error && error.name === "AssertionError") throw error;
    } finally {
      cancel();
    }
    expect(pool.idle + pool.active).toBeLessThanOrEqual(pool.size);
    expect(pool.size).toBeLessThanOrEqual(max);
  };
  await TaskGroup.run((group) => {
    for (let task = 0; task < 10; task++) {
      group.go(async () => {
        for (let round = 0; round < 4; round++) await useOnce();
      });
    }
    if (below(3) === 0) group.go(async () => sleep(below(60)).then(() => pool.close()));
  });
  await pool.drain(ctx);
  expect(counts(pool)).toEqual({ size: 0, idle: 0, active: 0, waiting: 0, created: made });
  expect([alive.size, destroyed, being]).toEqual([0, made, 0]);
}
