import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { CanceledError } from "concurrency-model-patterns/errors";
import {
  type ChildContext,
  type ChildSpec,
  Supervisor,
  type SupervisorError,
  type SupervisorEvent,
  type SupervisorOptions,
} from "concurrency-model-patterns/supervisor";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { hostGetsItsTurn } from "../support/listeners.ts";
import { abc, caught, failing, idle, run, signalAt, steps, stopAt, Trail } from "../support/supervision.ts";

describe("starting and stopping", () => {
  test("starts in the order of the list and stops in reverse, each waited for (50 seeds)", async () => {
    for (let seed = 0; seed < 50; seed++) {
      const lives: string[] = [];
      const child = (id: string): ChildSpec => ({
        id,
        start: async ({ ctx }) => {
          lives.push(`+${id}`);
          await caught(sleep(Number.POSITIVE_INFINITY, ctx));
          await sleep(10);
          lives.push(`-${id}`);
        },
      });
      const trail = await run([child("a"), child("b"), child("c")], {}, stopAt(5), seed);
      expect(lives).toEqual(["+a", "+b", "+c", "-c", "-b", "-a"]);
      expect(trail.lines).toEqual(
        steps("0 started a, 0 started b, 0 started c", "15 stopped c, 25 stopped b, 35 stopped a"),
      );
    }
  });

  test("nothing starts inside the call, and nothing at all if it was stopped in the same step", async () => {
    let started = false;
    const supervisor = new Supervisor([{ id: "a", start: () => void (started = true) }]);
    expect(started).toBe(false);
    await supervisor.stop();
    expect(started).toBe(false);
  });

  test("stopping twice is stopping once, and wait gives the same to everybody", async () => {
    const trail = await run(abc(), {}, async (supervisor) => {
      const waits = [supervisor.wait(), supervisor.wait()];
      await sleep(1);
      await Promise.all([supervisor.stop(), supervisor.stop(), ...waits]);
      await supervisor.stop();
      await supervisor.wait();
    });
    expect(trail.lines.filter((line) => line.includes("stopped"))).toHaveLength(3);
  });

  test("an abort of the signal stops it in order, and leaves no listener", async () => {
    const controller = new AbortController();
    const trail = await run(abc(), { signal: controller.signal }, async (supervisor) => {
      await sleep(1);
      controller.abort();
      await supervisor.wait();
    });
    expect(trail.lines.slice(3)).toEqual(["1 stopped c", "1 stopped b", "1 stopped a"]);
    const other = new AbortController();
    await run(abc(), { signal: other.signal }, stopAt(1));
    expect(getEventListeners(other.signal, "abort")).toHaveLength(0);
  });

  test("with a signal that has aborted already, nothing is started", async () => {
    const trail = await run(abc(), { signal: AbortSignal.abort() }, (supervisor) => supervisor.wait());
    expect(trail.lines).toEqual([]);
  });

  test("a caller who gives up waiting leaves, and the children go on", async () => {
    await run(abc(), {}, async (supervisor) => {
      const reason = new Error("enough");
      expect(await caught(supervisor.wait({ signal: AbortSignal.abort(reason) }))).toBe(reason);
      expect(await caught(supervisor.wait({ signal: signalAt(1) }))).toMatchObject({
        name: "TimeoutError",
      });
      await sleep(1);
      expect(supervisor.active).toBe(3);
    });
  });

  test("waits for a child for its shutdownMs, 5000 by default, then abandons it", async () => {
    const deaf = (id: string, shutdownMs?: number): ChildSpec => ({
      id,
      shutdownMs,
      start: () => sleep(8000),
    });
    const children = [
      deaf("infinite", Number.POSITIVE_INFINITY),
      deaf("none", 0),
      deaf("some", 100),
      deaf("default"),
    ];
    const trail = await run(children, {}, async (supervisor) => {
      await sleep(1);
      await supervisor.stop();
      expect(now()).toBe(8000);
    });
    expect(trail.lines.slice(4)).toEqual([
      "5001 abandoned default",
      "5101 abandoned some",
      "5101 abandoned none",
      "8000 stopped infinite",
    ]);
  });

  test("what a child fails with on its way out is told, and so is one that failed just before", async () => {
    const broken = new Error("cleanup broke");
    const children = abc({
      a: async ({ ctx }) => {
        await caught(sleep(Number.POSITIVE_INFINITY, ctx));
        throw broken;
      },
      b: failing(10),
    });
    const trail = new Trail();
    for (let seed = 0; seed < 30; seed++) {
      const own = await run(children, {}, stopAt(10), seed);
      expect(own.events.find(({ id, type }) => id === "a" && type === "stopped")).toMatchObject({
        error: broken,
      });
      const last = own.events.filter(({ id, type }) => id === "b" && type === "failed");
      trail.lines.push(`${last.length}`);
    }
    expect(new Set(trail.lines)).toEqual(new Set(["0", "1"]));
  });

  test("ends by itself when no child is left that runs or will", async () => {
    await run([], {}, (supervisor) => supervisor.wait());
    const once: ChildSpec = { id: "once", restart: "transient", start: () => sleep(5) };
    const trail = await run([once, { ...once, id: "other" }], {}, (supervisor) => supervisor.wait());
    expect(trail.lines.slice(2).toSorted()).toEqual(["5 ended once", "5 ended other"]);
  });
});

describe("strategies", () => {
  const failsAt10 = abc({ b: failing(10) });

  test.each([
    ["one-for-one", [], ["b"]],
    ["one-for-all", ["c", "a"], ["a", "b", "c"]],
    ["rest-for-one", ["c"], ["b", "c"]],
  ] as const)("%s", async (strategy, stopped, started) => {
    for (let seed = 0; seed < 20; seed++) {
      const trail = await run(failsAt10, { strategy }, stopAt(15), seed);
      expect(trail.lines.slice(3, -3)).toEqual([
        "10 failed b",
        "10 restarting b",
        ...stopped.map((id) => `10 stopped ${id}`),
        ...started.map((id) => `10 started ${id}`),
      ]);
    }
  });

  test("a restart waits for its delay, and what it takes along waits with it", async () => {
    const trail = await run(failsAt10, { strategy: "rest-for-one", restartDelayMs: 500 }, stopAt(1000));
    expect(trail.lines.slice(3, -3)).toEqual(
      steps("10 failed b, 10 restarting b, 10 stopped c, 510 started b, 510 started c"),
    );
  });

  test("one-for-one: the delay of one child does not hold up another", async () => {
    const children = abc({ a: failing(10), b: failing(200) });
    const trail = await run(children, { restartDelayMs: 500, intensity: 2 }, stopAt(1000));
    expect(trail.lines.filter((line) => / started /.test(line)).slice(3)).toEqual([
      "510 started a",
      "700 started b",
    ]);
  });

  test("rest-for-one: an earlier child that fails during a delay takes the later ones over", async () => {
    const children = abc({ a: failing(100), b: failing(10) });
    const options = { strategy: "rest-for-one", restartDelayMs: 500, intensity: 2 } as const;
    const trail = await run(children, options, stopAt(1000));
    expect(trail.lines.slice(3, -3)).toEqual(
      steps(
        "10 failed b, 10 restarting b, 10 stopped c, 100 failed a, 100 restarting a",
        "600 started a, 600 started b, 600 started c",
      ),
    );
  });

  test("a child that fails while its siblings are restarted begins the restart again", async () => {
    const children = abc({ b: failing(10), c: failing(1000, 0) });
    const options = { strategy: "one-for-all", intensity: 2 } as const;
    const trail = await run(children, options, stopAt(100));
    expect(trail.lines.slice(3, -3)).toEqual(
      steps(
        "10 failed b, 10 restarting b, 10 stopped c, 10 stopped a",
        "10 started a, 10 started b, 10 started c",
        "10 failed c, 10 restarting c, 10 stopped b, 10 stopped a",
        "10 started a, 10 started b, 10 started c",
      ),
    );
  });

  test("children that fail together are one restart of them all", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const children = abc({ a: failing(10), b: failing(10), c: failing(10) });
      await run(
        children,
        { strategy: "one-for-all" },
        async (supervisor) => {
          await sleep(20);
          expect([supervisor.restarts, supervisor.active]).toEqual([1, 3]);
        },
        seed,
      );
    }
  });
});

describe("restart types", () => {
  const ends: Record<string, () => Promise<void>> = {
    returns: () => sleep(10),
    "gives itself up": () => sleep(10).then(() => Promise.reject(new CanceledError())),
    fails: () => sleep(10).then(() => Promise.reject(new Error("broken"))),
  };

  test.each([
    ["permanent", "returns", true],
    ["permanent", "gives itself up", true],
    ["permanent", "fails", true],
    ["transient", "returns", false],
    ["transient", "gives itself up", false],
    ["transient", "fails", true],
    ["temporary", "returns", false],
    ["temporary", "gives itself up", false],
    ["temporary", "fails", false],
  ] as const)("a %s child that %s: restarted is %s", async (restart, how, restarted) => {
    const start = async (child: ChildContext): Promise<void> =>
      child.restarts === 0 ? ends[how]?.() : idle(child);
    const trail = await run([{ id: "a", restart, start }], {}, stopAt(20));
    expect(trail.lines[1]).toBe(how === "fails" ? "10 failed a" : "10 ended a");
    expect(trail.lines.slice(2)).toEqual(
      restarted ? ["10 restarting a", "10 started a", "20 stopped a"] : [],
    );
  });

  test.each([
    ["one-for-all", [0, 1, 2]],
    ["rest-for-one", [2, 0, 1]],
  ] as const)(
    "a temporary child is not started again as a bystander of %s either; a transient one that had ended is",
    async (strategy, order) => {
      const children: ChildSpec[] = [
        { id: "temporary", restart: "temporary", start: idle },
        { id: "transient", restart: "transient", start: () => sleep(5) },
        { id: "a", start: failing(10) },
      ];
      const inOrder = order.map((index) => children[index] as ChildSpec);
      const trail = await run(inOrder, { strategy }, async (supervisor) => {
        await sleep(50);
        expect(supervisor.tree().children.map(({ id }) => id)).not.toContain("temporary");
        await supervisor.stop();
      });
      const started = order[0] === 0 ? ["transient", "a"] : ["a", "transient"];
      expect(trail.lines.slice(3)).toEqual([
        ...steps("5 ended transient, 10 failed a, 10 restarting a, 10 stopped temporary"),
        ...started.map((id) => `10 started ${id}`),
        ...steps("15 ended transient, 50 stopped a"),
      ]);
    },
  );
});

describe("intensity", () => {
  const always = (lifeMs: number): ChildSpec => ({
    id: "a",
    start: ({ ctx, restarts }) =>
      sleep(lifeMs, ctx).then(() => Promise.reject(new Error(`failure ${restarts + 1}`))),
  });

  test.each([
    // intensity, periodMs, life, gives up at (never within 100 s: undefined)
    [1, 1000, 2100, undefined],
    [1, 1000, 1001, undefined],
    [1, 1000, 1000, 2000], // an entry as old as the period counts
    [2, 1000, 400, 1200],
    [2, 1000, 500, 1500],
    [2, 1000, 501, undefined],
    [0, 1000, 700, 700],
    [undefined, undefined, 5000, 10_000],
    [undefined, undefined, 5001, undefined],
    [Number.POSITIVE_INFINITY, 1000, 1, undefined],
  ])(
    "intensity %s in %s ms, a failure every %s ms: gives up at %s",
    async (intensity, periodMs, lifeMs, at) => {
      const stop = lifeMs === 1 ? 1000 : 100_000;
      await run([always(lifeMs)], { intensity, periodMs }, async (supervisor) => {
        const end = await caught(supervisor.wait({ signal: signalAt(stop) }));
        expect((end as SupervisorError).code).toBe(at === undefined ? "TIMEOUT" : "GAVE_UP");
        expect(now()).toBe(at ?? stop);
        await caught(supervisor.stop());
      });
    },
  );

  test("gives up with all that led to it, the last failure as the cause, and the others stopped", async () => {
    const trail = await run([...abc(), { ...always(100), id: "d" }], { intensity: 2 }, async (supervisor) => {
      const error = (await caught(supervisor.wait())) as SupervisorError;
      expect(error.code).toBe("GAVE_UP");
      expect(error.message).toBe('child "d" failed, and no more than 2 restarts within 5000 ms are allowed');
      expect(error.cause).toMatchObject({ message: "failure 3" });
      expect(error.history.map(({ id, after, atMs }) => [id, after, atMs])).toEqual([
        ["d", "failed", 100],
        ["d", "failed", 200],
        ["d", "failed", 300],
      ]);
      expect(supervisor.restarts).toBe(2);
      expect(await caught(supervisor.wait())).toBe(error);
      expect(await caught(supervisor.stop())).toBe(error);
    });
    expect(trail.lines.slice(-5)).toEqual(
      steps("300 failed d, 300 gave-up d, 300 stopped c, 300 stopped b, 300 stopped a"),
    );
  });

  test("a start that fails at once is tried until the intensity is exceeded: 4 make four tries more", async () => {
    let calls = 0;
    const start = (): never => {
      calls++;
      throw new Error("cannot start");
    };
    await run([{ id: "a", start }], { intensity: 4 }, async (supervisor) => {
      expect(await caught(supervisor.wait())).toMatchObject({ code: "GAVE_UP" });
    });
    expect(calls).toBe(5);
  });

  test("leaving the block says that it gave up, unless somebody has been told", async () => {
    await simulate(async () => {
      const deaf = new Supervisor([always(1)], { intensity: 0 });
      await caught(deaf.wait({ signal: signalAt(0.5) }));
      await sleep(10);
      expect(await caught(deaf[Symbol.asyncDispose]())).toMatchObject({ code: "GAVE_UP" });
      const heard = new Supervisor([always(1)], { intensity: 0 });
      expect(await caught(heard.wait())).toMatchObject({ code: "GAVE_UP" });
      await heard[Symbol.asyncDispose]();
    });
  });
});

describe("generations", () => {
  test("a late exit of an abandoned life is ignored", async () => {
    const children: ChildSpec[] = [
      {
        id: "deaf",
        shutdownMs: 10,
        start: async (child) => {
          if (child.restarts > 0) return idle(child);
          await sleep(100);
          throw new Error("late");
        },
      },
      { id: "b", start: failing(50) },
    ];
    const trail = await run(children, { strategy: "one-for-all" }, stopAt(200));
    expect(trail.lines.slice(2)).toEqual(
      steps(
        "50 failed b, 50 restarting b, 60 abandoned deaf, 60 started deaf, 60 started b",
        "200 stopped b, 200 stopped deaf",
      ),
    );
  });

  test("a life is told how often its child was restarted, and its context ends with it", async () => {
    const seen: [number, boolean][] = [];
    const contexts: ChildContext[] = [];
    const start = (child: ChildContext): void => {
      contexts.push(child);
      seen.push([child.restarts, child.ctx.error === undefined]);
    };
    await run([{ id: "a", start }], { intensity: 2 }, (supervisor) => supervisor.wait().catch(() => {}));
    expect(seen).toEqual([0, 1, 2].map((n) => [n, true]));
    expect(contexts.every(({ ctx }) => ctx.error?.code === "CANCELED")).toBe(true);
  });
});

describe("while it restarts", () => {
  test("stop ends a delay at once", async () => {
    const trail = await run(
      [{ id: "a", start: failing(10) }],
      { restartDelayMs: 60_000 },
      async (supervisor) => {
        await sleep(100);
        await supervisor.stop();
        expect([now(), supervisor.restarts]).toEqual([100, 1]);
      },
    );
    expect(trail.lines.slice(1)).toEqual(["10 failed a", "10 restarting a"]);
  });

  test("stop in the midst of stopping siblings starts none of them again", async () => {
    const slow: ChildSpec["start"] = async ({ ctx }) => {
      await caught(sleep(Number.POSITIVE_INFINITY, ctx));
      await sleep(100);
    };
    const children = abc({ a: slow, b: failing(10), c: slow });
    const trail = await run(children, { strategy: "one-for-all" }, stopAt(50));
    expect(trail.lines.slice(3)).toEqual([
      "10 failed b",
      "10 restarting b",
      "110 stopped c",
      "210 stopped a",
    ]);
  });

  test("a child that fails at once and for ever does not keep the host from its timers", async () => {
    let calls = 0;
    const inTime = await hostGetsItsTurn(async (over) => {
      const start = (): never => {
        calls++;
        if (over()) void supervisor.stop();
        throw new Error("broken");
      };
      const children = [{ id: "a", start }];
      const supervisor: Supervisor = new Supervisor(children, { intensity: Number.POSITIVE_INFINITY });
      await supervisor.wait();
    });
    expect(inTime).toBe(true);
    const before = calls;
    await sleep(2);
    expect(calls).toBe(before);
  });

  test("stop from a listener stops before the restart it was told of", async () => {
    await simulate(async () => {
      let calls = 0;
      const start = (): void => void calls++;
      const onEvent = ({ type }: SupervisorEvent): void => {
        if (type === "restarting") void supervisor.stop();
      };
      const supervisor: Supervisor = new Supervisor([{ id: "a", start }], { onEvent });
      await supervisor.wait();
      expect(calls).toBe(1);
    });
  });
});

describe("a supervisor as a child", () => {
  test("is stopped with its own children, and restarted with them when it gives up", async () => {
    const trail = new Trail();
    const inner: ChildSpec[] = [
      { id: "x", start: idle },
      { id: "y", start: (child) => failing(10)({ ...child, restarts: 0 }) },
    ];
    const start = ({ ctx }: ChildContext): Promise<void> =>
      new Supervisor(inner, { signal: ctx.signal, onEvent: trail.onEvent }).wait();
    const outer = await run([{ id: "tree", start }], {}, stopAt(25));
    expect(outer.lines).toEqual(
      steps("0 started tree, 20 failed tree, 20 restarting tree, 20 started tree, 25 stopped tree"),
    );
    expect(trail.lines.filter((line) => /(stopped|started) x/.test(line))).toEqual(
      steps("0 started x, 20 stopped x, 20 started x, 25 stopped x"),
    );
  });
});

describe("the rest", () => {
  test("announces restarts in the event log", async () => {
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        const supervisor = new Supervisor([{ id: "a", start: failing(10) }], {
          restartDelayMs: 500,
          name: "boss",
        });
        await sleep(20);
        await supervisor.stop();
      },
      { seed: 1, onEvent: (event) => events.push(event) },
    );
    expect(events.filter(({ k }) => k === "super.restart")).toMatchObject([
      { child: "a", n: 1, delay: 500, strategy: "one-for-one", t: 10_000 },
    ]);
    const names = events.flatMap((event) => (event.k === "task.spawn" ? [event.name] : []));
    expect(names).toEqual(["main", "boss", "a"]);
  });

  test("no timer and no listener is left, whether it was stopped, gave up or ended by itself", async () => {
    const events: RunEvent[] = [];
    const { signal } = new AbortController();
    await simulate(
      async () => {
        const options = { signal, restartDelayMs: 1000, strategy: "one-for-all" } as const;
        const stopped = new Supervisor(abc({ b: failing(10) }), options);
        await sleep(20);
        await stopped.stop();
        const gaveUp = new Supervisor(abc({ b: failing(10) }), { ...options, intensity: 0 });
        expect(await caught(gaveUp.wait())).toMatchObject({ code: "GAVE_UP" });
        await new Supervisor([{ id: "a", restart: "temporary", start: () => sleep(5) }], options).wait();
      },
      { onEvent: (event) => events.push(event) },
    );
    const count = (kind: string): number => events.filter(({ k }) => k === kind).length;
    expect(count("timer.set")).toBe(count("timer.fire") + count("timer.clear"));
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("children and listeners keep the async context of whoever made the supervisor", async () => {
    const store = new AsyncLocalStorage<string>();
    const seen = new Set<string | undefined>();
    const note = (): void => void seen.add(store.getStore());
    const supervisor = store.run("mine", () => {
      const start = async ({ ctx }: ChildContext): Promise<void> => {
        note();
        await sleep(1, ctx);
        note();
      };
      return new Supervisor([{ id: "a", start }], { intensity: 3, onEvent: note });
    });
    await store.run("other", async () => caught(supervisor.wait()));
    expect([...seen]).toEqual(["mine"]);
  });

  test("start is called as a method of its description", async () => {
    class Feed implements ChildSpec {
      readonly id = "feed";
      readonly restart = "temporary";
      seen = 0;
      readonly start = function (this: Feed): void {
        this.seen++;
      };
    }
    const feed = new Feed();
    await new Supervisor([feed]).wait();
    expect(feed.seen).toBe(1);
  });

  test("the same holds in the plain runtime: restarts, then gives up, then is quiet", async () => {
    const trail: string[] = [];
    const children: ChildSpec[] = [
      { id: "a", start: idle },
      { id: "b", start: () => sleep(2).then(() => Promise.reject(new Error("broken"))) },
    ];
    const onEvent = ({ type, id, restarts }: SupervisorEvent): void =>
      void trail.push(`${type} ${id} ${restarts}`);
    const supervisor = new Supervisor(children, { strategy: "rest-for-one", onEvent });
    expect(await caught(supervisor.wait())).toMatchObject({ code: "GAVE_UP" });
    expect(trail).toEqual(
      steps(
        "started a 0, started b 0, failed b 0, restarting b 1, started b 1",
        "failed b 1, gave-up b 1, stopped a 0",
      ),
    );
  });

  test("bad descriptions and options are refused at the call, by name", () => {
    const child = { id: "a", start: () => {} };
    const make =
      (children: unknown, options: unknown = {}) =>
      () =>
        new Supervisor(children as ChildSpec[], options as SupervisorOptions);
    expect(make("children")).toThrow(/children must be an array/);
    expect(make([child, { ...child }])).toThrow(/children\[1\]\.id must be no other child's, got "a" twice/);
    expect(make([{ start: child.start }])).toThrow(/children\[0\]\.id/);
    expect(make([{ id: "", start: child.start }])).toThrow(/children\[0\]\.id/);
    expect(make([{ id: "a" }])).toThrow(/children\[0\]\.start must be a function, got undefined/);
    expect(make([{ ...child, restart: "always" }])).toThrow(
      /children\[0\]\.restart must be one of "permanent"/,
    );
    expect(make([{ ...child, shutdownMs: Number.NaN }])).toThrow(/children\[0\]\.shutdownMs/);
    expect(make([child], { strategy: "all" })).toThrow(/strategy must be one of/);
    for (const intensity of [-1, 0.5, Number.NaN, "1"]) {
      expect(make([child], { intensity }), String(intensity)).toThrow(/intensity/);
    }
    for (const periodMs of [0, -1, Number.NaN]) expect(make([child], { periodMs })).toThrow(/periodMs/);
    expect(make([child], { restartDelayMs: Number.NaN })).toThrow(/restartDelayMs/);
    expect(make([child], { onEvent: "log" })).toThrow(/onEvent/);
  });

  test("ids such as __proto__ are ordinary ids", async () => {
    const ids = ["__proto__", "constructor", "toString"];
    const trail = await run(
      ids.map((id) => ({ id, start: idle })),
      {},
      stopAt(1),
    );
    expect(trail.lines.slice(0, 3)).toEqual(ids.map((id) => `0 started ${id}`));
  });
});
