import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { Channel } from "concurrency-model-patterns/channel";
import {
  background,
  type Context,
  ContextKey,
  withCancel,
  withTimeout,
  withValue,
} from "concurrency-model-patterns/context";
import { ClosedError, TimeoutError } from "concurrency-model-patterns/errors";
import { type JobContext, type Pool, WorkerPool } from "concurrency-model-patterns/pools";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { LeakError, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";

const SEEDS = Array.from({ length: 100 }, (_, seed) => seed);

function numbers(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function failure(promise: Promise<unknown> | undefined): Promise<unknown> {
  return Promise.resolve(promise).then(
    () => "no failure",
    (error: unknown) => error,
  );
}

/** A pool whose jobs are the milliseconds that they take. */
function sleepers(workers: number, capacity?: number): WorkerPool<number, number> {
  const handler = async (ms: number, { ctx }: JobContext): Promise<number> => {
    await sleep(ms, ctx);
    return ms;
  };
  return new WorkerPool(handler, { workers, capacity, name: "sleepers" });
}

/** One worker that is busy for 10 ms, and one place in the queue that is taken. */
async function full(): Promise<WorkerPool<number, number>> {
  const pool = sleepers(1, 1);
  await pool.ready();
  void pool.tryRun(10);
  void pool.tryRun(10);
  return pool;
}

const EMPTY = { active: 0, waiting: 0, size: 0 };

function state({ active, waiting, size }: Pool<never, unknown>): typeof EMPTY {
  return { active, waiting, size };
}

describe("the limit", () => {
  test.each([1, 10, 100])(
    "of %i workers is reached and never passed, and the pool can be used again",
    async (workers) => {
      const { elapsedMs } = await simulate(async () => {
        let active = 0;
        let most = 0;
        const busy = new Set<number>();
        const pool = new WorkerPool(
          async (n: number, { worker, ctx }) => {
            expect(busy.has(worker)).toBe(false);
            busy.add(worker);
            most = Math.max(most, ++active);
            expect(pool.active).toBeGreaterThanOrEqual(active);
            await sleep(10, ctx);
            active--;
            busy.delete(worker);
            if (n % 3 === 0) throw new Error(`job ${n}`);
            return n;
          },
          { workers },
        );
        for (let round = 0; round < 2; round++) {
          most = 0;
          const results = await Promise.allSettled(numbers(workers * 10).map((n) => pool.run(n)));
          expect(most).toBe(workers);
          results.forEach((result, n) => {
            if (n % 3 === 0) expect(result).toMatchObject({ reason: new Error(`job ${n}`) });
            else expect(result).toMatchObject({ value: n });
          });
        }
        await pool.drain();
        expect(state(pool)).toEqual(EMPTY);
      });
      expect(elapsedMs).toBe(200);
    },
  );

  test("holds in the plain runtime as well", async () => {
    let active = 0;
    let most = 0;
    await using pool = new WorkerPool(
      async (n: number) => {
        most = Math.max(most, ++active);
        await Promise.resolve();
        active--;
        return n;
      },
      { workers: 3 },
    );
    expect(await Promise.all(numbers(50).map((n) => pool.run(n)))).toEqual(numbers(50));
    expect(most).toBe(3);
  });

  test("gives jobs to workers in the order of the calls", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const begun: number[] = [];
          await using pool = new WorkerPool((n: number) => begun.push(n), { workers: 1, capacity: 2 });
          await Promise.all(numbers(10).map((n) => pool.run(n)));
          expect(begun).toEqual(numbers(10));
        },
        { seed },
      );
    }
  });

  test("lets jobs that never wait go on for long without starving timers", async () => {
    await using pool = new WorkerPool((n: number) => n, { workers: 2 });
    const timer = { fired: false };
    const firing = sleep(1).then(() => (timer.fired = true));
    for (let n = 0; !timer.fired && n < 10_000_000; n++) await pool.run(n);
    expect(timer.fired).toBe(true);
    await firing;
  });
});

describe("run", () => {
  test("gives the result, or throws what the handler throws, also when that is thrown at once", async () => {
    await using pool = new WorkerPool(
      (n: number | undefined) => {
        if (n === 0) throw new Error("zero");
        return n;
      },
      { workers: 1 },
    );
    expect(await pool.run(1)).toBe(1);
    expect(await pool.run(undefined)).toBe(undefined);
    expect(await failure(pool.run(0))).toEqual(new Error("zero"));
    expect(await pool.run(2)).toBe(2);
  });

  test("waits for room: a queue of n holds n, the others wait outside and come in by their turn", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const pool = await full();
          const order: number[] = [];
          const outside = [3, 2, 1].map((ms) => pool.run(ms).then((result) => order.push(result)));
          await sleep(1);
          expect(state(pool)).toEqual({ active: 1, waiting: 4, size: 1 });
          expect(pool.tryRun(1)).toBe(undefined);
          await Promise.all(outside);
          expect(order).toEqual([3, 2, 1]);
          expect(now()).toBe(26);
          await pool.drain();
        },
        { seed },
      );
    }
  });

  test("is given up before, while it waits for room, while it is queued, while it is worked on", async () => {
    const reason = new Error("no longer wanted");
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const pool = sleepers(1, 1);
          await pool.ready();
          const calls = numbers(4).map(() => withCancel(background));
          const [running, queued, outside, late] = calls as [(typeof calls)[0], ...typeof calls];
          const results = [running, queued, outside].map((call) => failure(pool.run(10, call?.ctx)));
          await sleep(5);
          expect(state(pool)).toEqual({ active: 1, waiting: 2, size: 1 });
          late?.cancel(reason);
          expect(await failure(pool.run(10, late?.ctx))).toBe(reason);

          outside?.cancel(reason);
          expect(pool.waiting).toBe(1);
          queued?.cancel(reason);
          expect(pool.waiting).toBe(0);
          running.cancel(reason);
          expect(await Promise.all(results)).toEqual([reason, reason, reason]);
          expect(now()).toBe(5);
          // Nobody is in the way of the next.
          expect(await pool.run(7)).toBe(7);
          expect(now()).toBe(12);
          await pool.drain();
        },
        { seed },
      );
    }
  });

  test("lets the next caller in when one in the queue is given up", async () => {
    await simulate(async () => {
      const pool = sleepers(1, 1);
      const queued = withCancel(background);
      const results = [pool.run(100), failure(pool.run(1, queued.ctx)), pool.run(2)];
      await sleep(1);
      expect(pool.tryRun(3)).toBe(undefined);
      queued.cancel();
      pool.close();
      // It was in the queue by then, or it would have been refused.
      expect(await results[2]).toBe(2);
      await Promise.all(results);
      await pool.drain();
    });
  });

  test("an abort after the result changes nothing and leaves no listener", async () => {
    await using pool = sleepers(2);
    const controller = new AbortController();
    const options = { signal: controller.signal };
    expect(await Promise.all([pool.run(1, options), pool.run(0, options), pool.run(0, options)])).toEqual([
      1, 0, 0,
    ]);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    controller.abort();
    expect(await pool.run(1)).toBe(1);
  });

  test("rejects its caller at once, but frees the worker only when the handler has ended", async () => {
    await simulate(async () => {
      const trail: string[] = [];
      const pool = new WorkerPool(
        async (name: string, { ctx }) => {
          trail.push(`${name} begins at ${now()}`);
          await sleep(100);
          trail.push(`${name} ends at ${now()}: ${ctx.error?.message}`);
          throw new Error("too late to be heard");
        },
        { workers: 1 },
      );
      const { ctx, cancel } = withTimeout(background, 10);
      expect(await failure(pool.run("deaf", ctx))).toBeInstanceOf(TimeoutError);
      cancel();
      expect(now()).toBe(10);
      expect(state(pool)).toEqual({ active: 1, waiting: 0, size: 1 });
      expect(await failure(pool.run("next"))).toEqual(new Error("too late to be heard"));
      expect(trail).toEqual([
        "deaf begins at 0",
        "deaf ends at 100: context deadline exceeded",
        "next begins at 100",
        "next ends at 200: undefined",
      ]);
      await pool.drain();
    });
  });

  test("gives the handler the values and the deadline of the caller's context", async () => {
    const key = new ContextKey<string>("user");
    await simulate(async () => {
      await using pool = new WorkerPool((_: number, { ctx }) => [ctx.value(key), ctx.deadlineMs], {
        workers: 1,
      });
      const { ctx, cancel } = withTimeout(withValue(background, key, "ada"), 50);
      expect(await pool.run(1, ctx)).toEqual(["ada", 50]);
      cancel();
    });
  });

  test("keeps the async context of its caller for the handler, where p-queue and fastq lose 19 of 20", async () => {
    const storage = new AsyncLocalStorage<number>();
    for (const run of [
      (program: () => Promise<void>) => program(),
      (program: () => Promise<void>) => simulate(program),
    ]) {
      await run(async () => {
        const seen: (number | undefined)[] = [];
        const setUpIn: (number | undefined)[] = [];
        const pool = storage.run(-1, () => {
          return new WorkerPool(
            async (n: number) => {
              await Promise.resolve();
              seen[n] = storage.getStore();
            },
            {
              workers: 2,
              capacity: 5,
              setup: () => setUpIn.push(storage.getStore()),
              teardown: () => void setUpIn.push(storage.getStore()),
            },
          );
        });
        await Promise.all(numbers(20).map((n) => storage.run(n, () => pool.run(n))));
        expect(seen).toEqual(numbers(20));
        const tried = storage.run(0, () => pool.tryRun(20));
        await tried;
        expect(seen[20]).toBe(0);
        await pool.drain();
        expect(setUpIn).toEqual([-1, -1, -1, -1]);
      });
    }
  });

  test("takes twenty thousand calls, gives half of them up, and overflows no stack", async () => {
    const maxWaiting = Number.POSITIVE_INFINITY;
    const pool = new WorkerPool((n: number) => n, { workers: 2, capacity: 10, maxWaiting });
    const odd = withCancel(background);
    const even = withCancel(background);
    const calls = numbers(20_000).map((n) => pool.run(n, n % 2 === 0 ? even.ctx : odd.ctx));
    const settled = Promise.allSettled(calls);
    odd.cancel();
    const results = await settled;
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(10_000);
    await pool.drain();
    expect(state(pool)).toEqual(EMPTY);
  });
});

describe("tryRun", () => {
  test("takes exactly as many as there are workers and places, also before the workers have started", async () => {
    await simulate(async () => {
      const pool = sleepers(2, 3);
      const taken = numbers(10).map(() => pool.tryRun(1));
      expect(taken.map((promise) => promise !== undefined)).toEqual(numbers(10).map((n) => n < 5));
      await Promise.all(taken.filter((promise) => promise !== undefined));
      expect(await pool.tryRun(4)).toBe(4);
      await pool.drain();
    });
  });

  test("needs a free worker when there is no queue", async () => {
    await simulate(async () => {
      const pool = sleepers(1, 0);
      const first = pool.tryRun(5);
      expect(pool.tryRun(5)).toBe(undefined);
      await first;
      await sleep(0);
      expect(await pool.tryRun(6)).toBe(6);
      await pool.drain();
    });
  });

  test("is refused like run: with the reason, or because the pool is closed", async () => {
    const pool = sleepers(1);
    const reason = new Error("before");
    expect(await failure(pool.tryRun(1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    await pool.drain();
    expect(await failure(pool.tryRun(1))).toBeInstanceOf(ClosedError);
  });
});

describe("map", () => {
  test("gives results in the order of the source, or as they come", async () => {
    for (const seed of SEEDS.slice(0, 30)) {
      await simulate(
        async () => {
          await using pool = sleepers(3);
          expect(await pool.map([30, 10, 20]).toArray()).toEqual([30, 10, 20]);
          expect(await pool.map([30, 10, 20], { ordered: false }).toArray()).toEqual([10, 20, 30]);
        },
        { seed },
      );
    }
  });

  test("keeps all workers busy and takes from the source only what is about to be done", async () => {
    const { elapsedMs } = await simulate(async () => {
      await using pool = sleepers(3);
      let given = 0;
      let done = 0;
      const source = function* (): Generator<number> {
        for (; given < 30; given++) {
          expect(given - done).toBeLessThanOrEqual(5 + 1);
          yield 10;
        }
      };
      await pool.map(source(), { ordered: false }).forEach(() => void done++);
    });
    expect(elapsedMs).toBe(100);
  });

  test("gives up its own jobs when the loop is left, and no others", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          await using pool = sleepers(2);
          const other = pool.run(50).then(() => now());
          let finished = false;
          const source = async function* (ctx: Context): AsyncGenerator<number> {
            try {
              yield 1;
              yield 1000;
              await sleep(1_000_000, ctx);
            } finally {
              finished = true;
            }
          };
          for await (const ms of pool.map(source)) if (ms === 1) break;
          expect(finished).toBe(true);
          expect(pool.waiting).toBe(0);
          expect(await other).toBe(50);
        },
        { seed },
      );
    }
  });

  test("can be left while a channel or another map gives it nothing", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          await using pool = sleepers(2);
          const silent = new Channel<number>(1);
          await silent.send(1);
          for await (const _ of pool.map(silent)) break;
          await silent.send(2);
          for await (const _ of pool.map(pool.map(silent))) break;
          expect(silent.waiting.receivers).toBe(0);
        },
        { seed },
      );
    }
  });

  test("throws the first failure, of a job or of the source, and the reason of its signal", async () => {
    await simulate(async () => {
      await using pool = new WorkerPool(
        async (n: number, { ctx }) => {
          await sleep(n, ctx);
          if (n === 3) throw new Error("three");
        },
        { workers: 2 },
      );
      expect(await failure(pool.map([1, 2, 3, 4, 5000]).toArray())).toEqual(new Error("three"));
      const broken = function* (): Generator<number> {
        yield 1;
        throw new Error("broken source");
      };
      expect(await failure(pool.map(broken()).toArray())).toEqual(new Error("broken source"));
      const { ctx, cancel } = withCancel(background);
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(5).then(() => cancel(new Error("enough"))));
        const long = pool.map([1000, 1000, 1000, 1000], { signal: ctx.signal });
        expect(await failure(long.toArray())).toEqual(new Error("enough"));
      });
      expect(now()).toBeLessThan(20);
    });
  });

  test("fails when the pool is closed meanwhile", async () => {
    await simulate(async () => {
      const pool = sleepers(1);
      const results = failure(pool.map([1, 2, 3, 4]).toArray());
      await sleep(2);
      await pool.drain();
      expect(await results).toBeInstanceOf(ClosedError);
    });
  });
});

describe("close and drain", () => {
  test("finish what runs and what is queued, refuse who waits for room and who comes later", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const pool = sleepers(1, 1);
          const [running, queued, outside] = [10, 20, 30].map((ms) => pool.run(ms)) as [
            Promise<number>,
            Promise<number>,
            Promise<number>,
          ];
          const refused = failure(outside);
          await sleep(5);
          const drained = pool.drain();
          expect(await refused).toMatchObject({ code: "CLOSED", message: "worker pool is closed" });
          expect(await failure(pool.run(1))).toBeInstanceOf(ClosedError);
          await drained;
          expect(now()).toBe(30);
          expect(await Promise.all([running, queued])).toEqual([10, 20]);
          expect(state(pool)).toEqual(EMPTY);
          pool.close();
          await pool.drain();
        },
        { seed },
      );
    }
  });

  test("a caller of drain who is cancelled leaves; the pool goes on to its end", async () => {
    await simulate(async () => {
      const pool = sleepers(1);
      const job = pool.run(100);
      const { ctx, cancel } = withTimeout(background, 10);
      expect(await failure(pool.drain(ctx))).toBeInstanceOf(TimeoutError);
      cancel();
      expect(await failure(pool.run(1))).toBeInstanceOf(ClosedError);
      expect(await job).toBe(100);
      await pool.drain();
    });
  });

  test("`await using` drains, also when nothing was ever run", async () => {
    await simulate(async () => {
      let job: Promise<number>;
      {
        await using pool = sleepers(1);
        job = pool.run(10);
        await sleep(0);
      }
      expect(now()).toBe(10);
      expect(await job).toBe(10);
      await using idle = sleepers(3);
      expect(idle.size).toBe(3);
    });
  });

  test("a pool that nobody closes is reported as a leak", async () => {
    const left = simulate(async () => {
      await sleepers(1).run(1);
    });
    await expect(left).rejects.toThrow(LeakError);
    await expect(left).rejects.toThrow("sleepers worker 1 (task 1): next job on sleepers");
  });
});

describe("cancel", () => {
  test("settles every call at once with the cause, where p-queue and fastq leave them pending", async () => {
    const cause = new Error("shutting down");
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const pool = sleepers(2, 3);
          const results = numbers(10).map(() => failure(pool.run(100)));
          await sleep(5);
          pool.cancel(cause);
          expect(await Promise.all(results)).toEqual(numbers(10).map(() => cause));
          expect(now()).toBe(5);
          const late = await failure(pool.run(1));
          expect(late).toBeInstanceOf(ClosedError);
          expect((late as ClosedError).cause).toBe(cause);
          await pool.drain();
          expect(now()).toBe(5);
          expect(state(pool)).toEqual(EMPTY);
        },
        { seed },
      );
    }
  });

  test("waits in drain for handlers that do not listen", async () => {
    await simulate(async () => {
      const pool = new WorkerPool((ms: number) => sleep(ms), { workers: 1 });
      const job = failure(pool.run(100));
      await sleep(1);
      pool.cancel();
      expect(await job).toMatchObject({ code: "CANCELED" });
      expect(now()).toBe(1);
      expect(pool.active).toBe(1);
      await pool.drain();
      expect(now()).toBe(100);
    });
  });

  test("comes with the signal, and may come while it drains", async () => {
    for (const drains of [false, true]) {
      const controller = new AbortController();
      await simulate(async () => {
        const pool = new WorkerPool((ms: number, { ctx }) => sleep(ms, ctx), {
          workers: 1,
          signal: controller.signal,
        });
        const results = [failure(pool.run(100)), failure(pool.run(100))];
        await sleep(1);
        const drained = drains ? pool.drain() : undefined;
        await sleep(1);
        controller.abort(new Error("abort"));
        expect(await Promise.all(results)).toEqual([new Error("abort"), new Error("abort")]);
        await (drained ?? pool.drain());
        expect(now()).toBe(2);
      });
      expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    }
  });

  test("takes its listener back when the pool is merely closed", async () => {
    const controller = new AbortController();
    const pool = new WorkerPool((n: number) => n, { workers: 1, signal: controller.signal });
    expect(await pool.run(1)).toBe(1);
    pool.close();
    await pool.drain();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("finds a pool whose signal has aborted before: it sets nothing up and takes nothing", async () => {
    let setUp = 0;
    const signal = AbortSignal.abort(new Error("before"));
    const pool = new WorkerPool((n: number) => n, { workers: 2, signal, setup: () => void setUp++ });
    expect(await failure(pool.run(1))).toMatchObject({ code: "CLOSED", cause: new Error("before") });
    expect(await failure(pool.ready())).toEqual(new Error("before"));
    await pool.drain();
    expect(setUp).toBe(0);
  });

  test("survives callers who call again from their own abort listeners", async () => {
    await simulate(async () => {
      const again: Promise<unknown>[] = [];
      const pool = new WorkerPool(
        async (_: number, { ctx }) => {
          ctx.signal.addEventListener("abort", () => {
            again.push(failure(pool.run(1)));
            pool.cancel(new Error("second"));
            pool.close();
          });
          await sleep(100, ctx);
        },
        { workers: 2, capacity: 1 },
      );
      const results = numbers(5).map((n) => failure(pool.run(n)));
      await sleep(1);
      pool.cancel(new Error("first"));
      expect(await Promise.all(results)).toEqual(numbers(5).map(() => new Error("first")));
      expect(await Promise.all(again)).toEqual([expect.any(ClosedError), expect.any(ClosedError)]);
      await pool.drain();
    });
  });
});

describe("setup and teardown", () => {
  test("are called once a worker, before its first job and after its last, and share its state", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const trail: string[] = [];
          const pool = new WorkerPool((n: number, { state, worker }) => void state.jobs.push(n * worker), {
            workers: 2,
            setup: async (context: { worker: number; ctx: Context }) => {
              await sleep(10, context.ctx);
              trail.push(`up ${context.worker}`);
              return { jobs: [] as number[] };
            },
            teardown: async ({ worker, state }) => {
              await sleep(10);
              trail.push(`down ${worker}`);
              trail.push(...state.jobs.map(() => "job"));
            },
          });
          const results = Promise.all(numbers(4).map((n) => pool.run(n)));
          await pool.ready();
          expect(trail.toSorted()).toEqual(["up 1", "up 2"]);
          await results;
          await pool.drain();
          expect(trail.toSorted()).toEqual(["down 1", "down 2", "job", "job", "job", "job", "up 1", "up 2"]);
          expect(now()).toBe(20);
        },
        { seed },
      );
    }
  });

  test("a setup that fails cancels the pool: everybody is told why, and drain throws it", async () => {
    const broken = new Error("no connection");
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          let torn = 0;
          const pool = new WorkerPool((n: number) => n, {
            workers: 3,
            setup: async ({ worker, ctx }) => {
              await sleep(worker === 2 ? 5 : 10, ctx);
              if (worker === 2) throw broken;
            },
            teardown: () => void torn++,
          });
          const results = [failure(pool.run(1)), failure(pool.run(2)), failure(pool.ready())];
          expect(await Promise.all(results)).toEqual([broken, broken, broken]);
          expect(await failure(pool.drain())).toBe(broken);
          expect(torn).toBe(0);
          expect(state(pool)).toEqual(EMPTY);
        },
        { seed },
      );
    }
  });

  const broken = new Error("no connection");
  const breaks = (): Promise<void> => sleep(5).then(() => Promise.reject(broken));
  type Broken = WorkerPool<number, number>;
  test.each<[string, (pool: Broken) => Promise<unknown>, unknown]>([
    ["a call of run", (pool) => pool.run(1), broken],
    ["a caller who waits for room", (pool) => Promise.all([1, 2, 3].map((n) => pool.run(n))), broken],
    ["ready", (pool) => pool.ready(), broken],
    ["drain", (pool) => sleep(1).then(() => pool.drain()), broken],
    ["map", (pool) => pool.map([1]).toArray(), broken],
    [
      "a later call, as the cause of its refusal",
      (pool) => sleep(10).then(() => pool.run(1)),
      new ClosedError("worker pool is closed", { cause: broken }),
    ],
  ])(
    "a failed setup that was told by %s is not told again when the pool is disposed of",
    async (_, call, told) => {
      const program = async (): Promise<void> => {
        await using pool = new WorkerPool((n: number) => n, { workers: 1, capacity: 0, setup: breaks });
        await call(pool);
      };
      for (const seed of SEEDS) {
        await simulate(async () => expect(await failure(program())).toEqual(told), { seed });
      }
    },
  );

  test("a failed setup that was told to nobody is told when the pool is disposed of, beside what its body throws", async () => {
    const mine = new Error("mine");
    const program = async (own: unknown): Promise<void> => {
      await using pool = new WorkerPool((n: number) => n, { workers: 1, setup: breaks });
      await sleep(1);
      const { signal } = withTimeout(background, 1).ctx;
      expect(await failure(pool.drain({ signal }))).toBeInstanceOf(TimeoutError);
      if (own !== undefined) throw own;
    };
    await simulate(async () => {
      expect(await failure(program(undefined))).toBe(broken);
      expect(await failure(program(mine))).toMatchObject({ error: broken, suppressed: mine });
    });
  });

  test("disposing of a pool tells of a failed teardown also where the setup of another worker was told", async () => {
    const torn = new Error("torn");
    const setup = ({ worker }: { readonly worker: number }): unknown => (worker === 2 ? breaks() : undefined);
    const program = async (): Promise<void> => {
      const pool = new WorkerPool((n: number) => n, {
        workers: 2,
        setup,
        teardown: () => Promise.reject(torn),
      });
      expect(await failure(pool.ready())).toBe(broken);
      await pool[Symbol.asyncDispose]();
    };
    await simulate(async () => expect(await failure(program())).toBe(torn));
  });

  test("a teardown that fails is thrown by drain, several as one, and no job is touched", async () => {
    for (const workers of [1, 2]) {
      await simulate(async () => {
        const pool = new WorkerPool((ms: number) => sleep(ms).then(() => ms), {
          workers,
          teardown: ({ worker }) => {
            throw new Error(`worker ${worker}`);
          },
        });
        const jobs = Promise.all([pool.run(1), pool.run(20)]);
        const end = await failure(pool.drain());
        if (workers === 1) expect(end).toEqual(new Error("worker 1"));
        else expect((end as AggregateError).errors).toHaveLength(2);
        expect(await jobs).toEqual([1, 20]);
      });
    }
  });

  test("a pool that is cancelled while it is set up ends without an error of its own", async () => {
    await simulate(async () => {
      const pool = new WorkerPool((n: number) => n, { workers: 2, setup: ({ ctx }) => sleep(1000, ctx) });
      const job = failure(pool.run(1));
      await sleep(1);
      pool.cancel(new Error("never mind"));
      expect(await job).toEqual(new Error("never mind"));
      expect(await failure(pool.ready())).toEqual(new Error("never mind"));
      await pool.drain();
      expect(now()).toBe(1);
    });
  });
});

describe("a pool", () => {
  test("refuses wrong arguments at the call", () => {
    const handler = (n: number): number => n;
    expect(() => new WorkerPool(handler, { workers: 0 })).toThrow(
      "workers must be a whole number of at least 1, got 0",
    );
    expect(() => new WorkerPool(handler, { workers: 1, capacity: -1 })).toThrow(RangeError);
    expect(() => new WorkerPool(undefined as never, { workers: 1 })).toThrow(TypeError);
    expect(() => new WorkerPool(handler, { workers: 1, setup: 1 as never })).toThrow(TypeError);
  });

  test("says in the event log who holds which worker", async () => {
    const held: string[] = [];
    await simulate(
      async () => {
        await using pool = sleepers(1);
        await Promise.all([pool.run(5), pool.run(5)]);
      },
      {
        onEvent: (event) => {
          if (event.k === "hold" || event.k === "free")
            held.push(`${event.k} ${event.item} ${event.t / 1000}`);
        },
      },
    );
    expect(held).toEqual(["hold 1 0", "free 1 5", "hold 1 5", "free 1 10"]);
  });
});
