import { AsyncLocalStorage } from "node:async_hooks";
import { background, type Context, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { CanceledError } from "concurrency-model-patterns/errors";
import { SingleFlight } from "concurrency-model-patterns/singleflight";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

/** Runs all at once, as tasks, and gives how each ended. */
async function together<T>(count: number, call: (index: number) => Promise<T>): Promise<unknown[]> {
  return TaskGroup.run(async (group) => {
    const handles = Array.from({ length: count }, (_, index) => group.go(() => ended(call(index))));
    const ends: unknown[] = [];
    for (const handle of handles) ends.push(await handle.join());
    return ends;
  });
}

/** Work that never ends by itself, and tells its context. */
function untilGivenUp(started: Context[]): (ctx: Context) => Promise<never> {
  return async (ctx) => {
    started.push(ctx);
    await sleep(Number.POSITIVE_INFINITY, ctx);
    throw new Error("unreachable");
  };
}

describe("SingleFlight.do", () => {
  inBothRuntimes("runs the work once for all who ask while it is under way, and tells who led", async () => {
    const flights = new SingleFlight<string, number>();
    let runs = 0;
    const ends = await together(5, () => flights.do("key", () => sleep(5).then(() => ++runs)));
    const flown = ends.map((end) => (end as { value: { role: string } }).value);
    expect(flown.map(({ role }) => role).toSorted()).toEqual([...Array(4).fill("follower"), "leader"]);
    for (const flight of flown) expect(flight).toMatchObject({ value: 1, shared: true });
    expect([flights.size, flights.waiting("key")]).toEqual([0, 0]);
  });

  inBothRuntimes("keeps nothing: the next call runs its own work, and is not shared", async () => {
    const flights = new SingleFlight<string, number>();
    let runs = 0;
    const call = () => flights.do("key", () => ++runs);
    expect(await call()).toEqual({ value: 1, shared: false, callers: 1, role: "leader" });
    expect(await call()).toEqual({ value: 2, shared: false, callers: 1, role: "leader" });
  });

  inBothRuntimes("runs the work of different keys at the same time, whatever the keys are", async () => {
    const keys = ["__proto__", "constructor", "", undefined, null, Number.NaN, {}, Symbol("key")];
    const flights = new SingleFlight<unknown, unknown>();
    const ends = await together(keys.length * 2, (index) => {
      const key = keys[index % keys.length];
      return flights.do(key, () => sleep(1).then(() => key));
    });
    for (const [index, end] of ends.entries()) {
      expect(end).toMatchObject({ value: { value: keys[index % keys.length], shared: true } });
    }
  });

  inBothRuntimes("gives the error of the work to every caller, and keeps no error", async () => {
    const failure = new Error("no");
    const works = [
      () => {
        throw failure;
      },
      () => Promise.reject(failure),
      () => sleep(2).then(() => Promise.reject(failure)),
    ];
    for (const work of works) {
      const flights = new SingleFlight<string, number>();
      for (const end of await together(5, () => flights.do("key", work))) {
        expect(end).toEqual({ error: failure });
      }
      expect(flights.size).toBe(0);
      expect(await flights.do("key", () => 1)).toMatchObject({ value: 1 });
    }
  });

  inBothRuntimes(
    "leaves nobody waiting for work that gives itself up, or throws nothing at all",
    async () => {
      for (const error of [new CanceledError("not today"), undefined]) {
        const flights = new SingleFlight<string, number>();
        const work = (): Promise<number> => sleep(2).then(() => Promise.reject(error));
        const ends = await together(5, () => flights.do("key", work));
        expect(ends).toEqual(Array.from({ length: 5 }, () => ({ error })));
        expect([flights.size, flights.waiting("key")]).toEqual([0, 0]);
      }
    },
  );

  inBothRuntimes("never runs the work inside the call", async () => {
    const flights = new SingleFlight<string, number>();
    let ran = false;
    const call = flights.do("key", () => {
      ran = true;
      return 1;
    });
    expect(ran).toBe(false);
    await call;
    expect(ran).toBe(true);
  });

  inBothRuntimes("has freed the key before any caller goes on", async () => {
    const flights = new SingleFlight<string, number>();
    let runs = 0;
    const again = async () => {
      await flights.do("key", () => sleep(1).then(() => ++runs));
      return (await flights.do("key", () => sleep(1).then(() => ++runs))).value;
    };
    const ends = await together(3, again);
    expect(ends).toEqual([{ value: 2 }, { value: 2 }, { value: 2 }]);
  });

  test("refuses work that is no function, at the call", () => {
    const flights = new SingleFlight<string, number>();
    const wrong = 1 as unknown as () => number;
    expect(thrownBy(() => flights.do("key", wrong))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => new SingleFlight({ onJoin: wrong }))).toBeInstanceOf(TypeError);
    expect(flights.size).toBe(0);
  });
});

test("followers without options get one promise; those with a signal can still leave one by one", async () => {
  const flights = new SingleFlight<string, number>();
  const controller = new AbortController();
  const work = (): Promise<number> => sleep(2).then(() => 7);
  const leader = flights.do("a", work);
  const [one, other] = [flights.do("a", work), flights.do("a", work)];
  const leaving = failureOf(flights.do("a", work, { signal: controller.signal }));
  expect([one === other, one === leader, flights.waiting("a")]).toEqual([true, false, 4]);
  controller.abort("enough");
  expect([await leaving, flights.waiting("a")]).toEqual(["enough", 3]);
  expect(await leader).toEqual({ value: 7, shared: true, callers: 4, role: "leader" });
  expect(await one).toEqual({ value: 7, shared: true, callers: 4, role: "follower" });
  expect([flights.waiting("a"), flights.size]).toEqual([0, 0]);
});

test("the work goes on for followers who cannot leave, when all others have left", async () => {
  const flights = new SingleFlight<string, number>();
  const controller = new AbortController();
  const { signal } = controller;
  const work = (ctx: Context): Promise<number> => sleep(2, ctx).then(() => 7);
  const leader = failureOf(flights.do("a", work, { signal }));
  const stays = flights.do("a", work);
  controller.abort("enough");
  expect(await leader).toBe("enough");
  expect((await stays).value).toBe(7);
});

describe("a caller of SingleFlight who is cancelled", () => {
  inBothRuntimes("before the call, starts nothing", async () => {
    const flights = new SingleFlight<string, number>();
    const reason = new Error("left");
    const gone = AbortSignal.abort(reason);
    const started: Context[] = [];
    expect(await failureOf(flights.do("key", untilGivenUp(started), { signal: gone }))).toBe(reason);
    await settle();
    expect([started.length, flights.size, listenersOf(gone)]).toEqual([0, 0, 0]);
  });

  for (const who of ["leader", "follower"] as const) {
    inBothRuntimes(
      `leaves at once with its own reason, as ${who}; the others get the result`,
      async () => {
        const flights = new SingleFlight<string, string>();
        const controller = new AbortController();
        const own = { signal: controller.signal };
        const work = (ctx: Context) => sleep(50, ctx).then(() => "result");
        const first = ended(flights.do("key", work, who === "leader" ? own : undefined));
        await settle();
        const second = ended(flights.do("key", work, who === "follower" ? own : undefined));
        await settle();
        expect(flights.waiting("key")).toBe(2);
        const reason = new Error("left");
        controller.abort(reason);
        const [leaves, stays] = who === "leader" ? [first, second] : [second, first];
        expect(await leaves).toEqual({ error: reason });
        expect(flights.waiting("key")).toBe(1);
        expect(await stays).toMatchObject({ value: { value: "result", shared: true } });
        expect([flights.size, listenersOf(controller.signal)]).toEqual([0, 0]);
      },
      50,
    );
  }

  inBothRuntimes("as the last one, ends the work's context, with the key free before that", async () => {
    const flights = new SingleFlight<string, string>();
    const { ctx, cancel } = withCancel(background);
    const started: Context[] = [];
    const late: Promise<unknown>[] = [];
    const calls = [0, 1].map(() =>
      ended(
        flights.do(
          "key",
          (flight) => {
            flight.signal.addEventListener("abort", () => {
              late.push(ended(flights.do("key", () => "fresh")));
            });
            return untilGivenUp(started)(flight);
          },
          ctx,
        ),
      ),
    );
    await settle();
    expect(flights.waiting("key")).toBe(2);
    cancel(new Error("left"));
    for (const call of calls) expect(await call).toMatchObject({ error: { message: "left" } });
    expect(await late[0]).toEqual({ value: { value: "fresh", shared: false, callers: 1, role: "leader" } });
    expect(started).toHaveLength(1);
    expect(started[0]?.error).toMatchObject({ code: "CANCELED", message: "every caller has left" });
    expect(flights.size).toBe(0);
  });

  inBothRuntimes("as the last one, before the work began, prevents it", async () => {
    const flights = new SingleFlight<string, never>();
    const controller = new AbortController();
    const started: Context[] = [];
    const call = flights.do("key", untilGivenUp(started), controller);
    controller.abort(new Error("left"));
    expect(await failureOf(call)).toMatchObject({ message: "left" });
    await settle();
    expect([started.length, flights.size]).toEqual([0, 0]);
  });

  inBothRuntimes(
    "by a deadline gets a timeout; the work is told that it was given up",
    async () => {
      const flights = new SingleFlight<string, never>();
      const { ctx } = withTimeout(background, 3);
      const started: Context[] = [];
      expect(await failureOf(flights.do("key", untilGivenUp(started), ctx))).toMatchObject({
        code: "TIMEOUT",
      });
      expect(started[0]?.error).toMatchObject({ code: "CANCELED", cause: { code: "TIMEOUT" } });
    },
    20,
  );

  inBothRuntimes("after it has the result, changes nothing", async () => {
    const flights = new SingleFlight<string, number>();
    const controller = new AbortController();
    let own: Context | undefined;
    const work = (ctx: Context) => {
      own = ctx;
      return 1;
    };
    expect(await flights.do("key", work, controller)).toMatchObject({ value: 1 });
    controller.abort();
    expect(own?.error).toMatchObject({ message: "context canceled" });
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("does not hand on its values and its deadline: the work is not its alone", async () => {
    const flights = new SingleFlight<string, number | undefined>();
    const { ctx, cancel } = withTimeout(background, 60_000);
    expect((await flights.do("key", (own) => own.deadlineMs, ctx)).value).toBeUndefined();
    cancel();
  });
});

describe("SingleFlight.forget", () => {
  inBothRuntimes(
    "lets the next call start a new flight, which the end of the old one leaves alone",
    async () => {
      const flights = new SingleFlight<string, string>();
      const old = flights.do("key", () => sleep(10).then(() => "old"));
      await settle();
      expect(flights.forget("key")).toBe(true);
      expect(flights.forget("key")).toBe(false);
      const fresh = flights.do("key", () => sleep(20).then(() => "fresh"));
      expect((await old).value).toBe("old");
      const third = flights.do("key", () => "never");
      await settle();
      expect(flights.waiting("key")).toBe(2);
      expect(await third).toEqual({ value: "fresh", shared: true, callers: 2, role: "follower" });
      expect(await fresh).toEqual({ value: "fresh", shared: true, callers: 2, role: "leader" });
    },
    50,
  );
});

describe("SingleFlight's hook and log", () => {
  inBothRuntimes("onJoin is told of each caller who joins; what it throws, that caller gets", async () => {
    const joined: string[] = [];
    const flights = new SingleFlight<string, number>({
      onJoin(key) {
        joined.push(key);
        if (joined.length === 2) throw new Error("hook");
      },
    });
    const ends = await together(3, () => flights.do("key", () => sleep(1).then(() => 1)));
    expect(joined).toEqual(["key", "key"]);
    expect(ends.filter((end) => "error" in (end as object))).toMatchObject([{ error: { message: "hook" } }]);
    expect(ends.filter((end) => "value" in (end as object))).toHaveLength(2);
  });

  test("the event log has who led, who joined and how many shared", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        const flights = new SingleFlight<string, number>({ name: "users" });
        await together(3, () => flights.do("key", () => sleep(1).then(() => 1)));
      },
      { seed: 1, onEvent: (event) => events.push(event) },
    );
    const kinds = events.filter(({ k }) => k.startsWith("flight.")).map(({ k }) => k);
    expect(kinds).toEqual(["flight.lead", "flight.join", "flight.join", "flight.share"]);
    expect(events.find(({ k }) => k === "flight.share")).toMatchObject({ key: "key", callers: 3 });
  });

  inBothRuntimes(
    "the work runs in the async context of the leader, each caller goes on in its own",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const flights = new SingleFlight<string, string | undefined>();
      const call = (name: string) =>
        storage.run(name, async () => {
          const { value } = await flights.do("key", () => sleep(1).then(() => storage.getStore()));
          return [value, storage.getStore()];
        });
      const leader = call("leader");
      await Promise.resolve();
      const follower = call("follower");
      const [first, second] = [await leader, await follower];
      expect(new Set([first[0], second[0]]).size).toBe(1);
      expect([first[1], second[1]]).toEqual(["leader", "follower"]);
    },
  );
});

describe("SingleFlight, whatever callers do", () => {
  test("settles each caller once, never runs a key twice at once, and leaves nothing", async () => {
    const caller = fc.record({
      key: fc.integer({ min: 0, max: 1 }),
      startMs: fc.integer({ min: 0, max: 6 }),
      leavesMs: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
      workMs: fc.integer({ min: 0, max: 5 }),
      fails: fc.boolean(),
    });
    const plan = fc.array(caller, { maxLength: 8 });
    const check = async (callers: readonly Plan[], seed: number) => {
      await simulate(
        async () => {
          const flights = new SingleFlight<number, number>();
          const under = new Map<number, number>();
          const ends = await together(callers.length, async (index) => {
            const { key, startMs, leavesMs, workMs, fails } = callers[index] as Plan;
            await sleep(startMs);
            const options = leavesMs === undefined ? background : withTimeout(background, leavesMs).ctx;
            const work = async (ctx: Context) => {
              under.set(key, (under.get(key) ?? 0) + 1);
              expect(under.get(key)).toBe(1);
              // Whoever gives up has to end at once, or the next flight of the key overlaps.
              const free = () => under.set(key, (under.get(key) ?? 0) - 1);
              ctx.signal.addEventListener("abort", free, { once: true });
              await sleep(workMs, ctx);
              if (fails) throw new Error("failed");
              return index;
            };
            return flights.do(key, work, options);
          });
          expect(ends).toHaveLength(callers.length);
          expect(flights.size).toBe(0);
          expect([...under.values()].every((count) => count === 0)).toBe(true);
          for (const [index, end] of ends.entries()) {
            const { leavesMs } = callers[index] as Plan;
            const { error } = end as { error?: { code?: string; message: string } };
            if (error !== undefined && error.message !== "failed") {
              expect([error.code, leavesMs !== undefined]).toEqual(["TIMEOUT", true]);
            }
          }
        },
        { seed },
      );
    };
    await fc.assert(fc.asyncProperty(plan, fc.nat(0xffff), check), { numRuns: 300 });
  });

  test("joins or leads, whatever the order", async () => {
    await overSeeds(100, async (seed) => {
      const { value } = await simulate(
        async () => {
          const flights = new SingleFlight<string, number>();
          let runs = 0;
          await together(4, () => flights.do("key", () => ++runs));
          return runs;
        },
        { seed },
      );
      expect(value).toBeGreaterThanOrEqual(1);
      expect(value).toBeLessThanOrEqual(4);
    });
  });
});

interface Plan {
  readonly key: number;
  readonly startMs: number;
  readonly leavesMs: number | undefined;
  readonly workMs: number;
  readonly fails: boolean;
}
