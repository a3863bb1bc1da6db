import { AsyncLocalStorage } from "node:async_hooks";
import { withCancel } from "concurrency-model-patterns/context";
import { type ChildContext, type ChildSpec, Supervisor } from "concurrency-model-patterns/supervisor";
import { DynamicSupervisor } from "concurrency-model-patterns/supervisor/dynamic";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds } from "../support/both-runtimes.ts";
import { abc, caught, failing, idle, run, steps, stopAt, Trail } from "../support/supervision.ts";

const stay = { whenIdle: "stay" } as const;
const child = (id: string, spec: Partial<ChildSpec> = {}): ChildSpec => ({ id, start: idle, ...spec });

/** Is ready after 10 ms. */
const slowly: Partial<ChildSpec> = {
  readyWithinMs: 1000,
  start: async (child) => {
    await sleep(10, child.ctx);
    child.ready();
    await idle(child);
  },
};

describe("add", () => {
  test("starts a child behind the others, and it is supervised like them", async () => {
    const trail = await run(abc(), { strategy: "rest-for-one" }, async (supervisor) => {
      await supervisor.add(child("d", { start: failing(10) }));
      expect(supervisor.active).toBe(4);
      await sleep(20);
    });
    expect(trail.lines.slice(3)).toEqual(
      steps(
        "0 started d, 10 failed d, 10 restarting d, 10 started d",
        "20 stopped d, 20 stopped c, 20 stopped b, 20 stopped a",
      ),
    );
  });

  inBothRuntimes("waits until the child is ready, and gives why it is not", async () => {
    await using supervisor = new Supervisor([], stay);
    const before = now();
    await supervisor.add(child("a", slowly));
    expect(now() - before).toBe(10);
    const broken = new Error("no port");
    const bad = child("b", { readyWithinMs: 10, start: () => Promise.reject(broken) });
    expect(await caught(supervisor.add(bad))).toBe(broken);
    const late = child("c", { readyWithinMs: 5, start: idle });
    expect(await caught(supervisor.add(late))).toMatchObject({ code: "TIMEOUT" });
    expect(supervisor.tree().children.map(({ id }) => id)).toEqual(["a"]);
    expect(supervisor.restarts).toBe(0);
    await supervisor.add(child("b"));
  });

  inBothRuntimes(
    "a caller who is cancelled before, or while the child gets ready, adds nothing",
    async () => {
      let lives = 0;
      const start = async (own: ChildContext): Promise<void> => {
        lives++;
        await sleep(10, own.ctx).finally(() => lives--);
        own.ready();
      };
      await using supervisor = new Supervisor([], stay);
      const spec = child("a", { start, readyWithinMs: 100 });
      expect(await caught(supervisor.add(spec, { signal: AbortSignal.abort("no") }))).toBe("no");
      const { ctx, cancel } = withCancel({});
      const added = caught(supervisor.add(spec, ctx));
      const behind = caught(supervisor.add(child("b"), ctx));
      await sleep(5);
      expect(lives).toBe(1);
      cancel("enough");
      expect(await Promise.all([added, behind])).toEqual(["enough", "enough"]);
      await supervisor.add(child("c"));
      expect(supervisor.tree().children.map(({ id }) => id)).toEqual(["c"]);
      expect(lives).toBe(0);
    },
  );

  test("is all or nothing, whenever the caller gives up (80 seeds)", async () => {
    const outcomes = new Set<string>();
    await overSeeds(80, async (seed) => {
      const { lines } = await run(
        [],
        stay,
        async (supervisor) => {
          const { ctx, cancel } = withCancel({});
          const added = caught(supervisor.add(child("a"), ctx));
          await sleep(0);
          cancel("enough");
          const refused = (await added) === "enough";
          await supervisor.remove("none");
          expect(supervisor.active).toBe(refused ? 0 : 1);
          outcomes.add(refused ? "refused" : "added");
        },
        seed,
      );
      expect(lines.filter((line) => line.includes("started"))).toHaveLength(
        lines.filter((line) => line.includes("stopped")).length,
      );
    });
    expect(outcomes.size).toBeGreaterThan(0);
  });

  inBothRuntimes("a name is given once, bad descriptions are refused at the call", async () => {
    await using supervisor = new Supervisor([child("a")], stay);
    expect(await caught(supervisor.add(child("a")))).toMatchObject({ code: "MISUSE" });
    expect(() => supervisor.add({ id: "b" } as ChildSpec)).toThrow(/child\.start must be a function/);
    expect(() => supervisor.add(child("b", { readyWithinMs: Number.NaN }))).toThrow(/child\.readyWithinMs/);
    expect(() => supervisor.add(child("b", { watchdogMs: 0 }))).toThrow(/child\.watchdogMs/);
    expect(await supervisor.remove("a")).toBe(true);
    await supervisor.add(child("a"));
  });

  inBothRuntimes("once the supervisor ends, nothing can be asked any more", async () => {
    const supervisor = new Supervisor([], stay);
    const pending = [
      caught(supervisor.add(child("a", { readyWithinMs: 1000 }))),
      caught(supervisor.add(child("b"))),
      caught(supervisor.remove("a")),
      caught(supervisor.restart("a")),
    ];
    await sleep(5);
    await supervisor.stop();
    pending.push(caught(supervisor.add(child("c"))), caught(supervisor.remove("c")));
    for (const error of await Promise.all(pending)) expect(error).toMatchObject({ code: "CLOSED" });
    expect(supervisor.active).toBe(0);
  });

  test("a temporary child is forgotten when it has ended, a transient one is kept", async () => {
    await run([], stay, async (supervisor) => {
      await supervisor.add(child("a", { restart: "temporary", start: () => sleep(1) }));
      await supervisor.add(child("b", { restart: "transient", start: () => sleep(1) }));
      await sleep(2);
      expect(supervisor.tree().children).toMatchObject([{ id: "b", state: "idle", restarts: 0 }]);
      await supervisor.restart("b");
      expect(supervisor.tree().children).toMatchObject([{ id: "b", state: "running", restarts: 1 }]);
    });
  });

  test("a child runs in the async context of the call that added it, in each of its lives", async () => {
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const start = async (own: ChildContext): Promise<void> => {
      seen.push(store.getStore());
      await failing(1, 1)(own);
    };
    await simulate(async () => {
      await using supervisor = store.run("maker", () => new Supervisor([], { ...stay, intensity: 5 }));
      await store.run("caller", () => supervisor.add(child("a", { start })));
      await sleep(10);
    });
    expect(seen).toEqual(["caller", "caller", "caller"]);
  });
});

describe("remove and restart", () => {
  test("remove stops the child and nobody else, and it is no end that is restarted", async () => {
    const trail = await run(abc(), { strategy: "one-for-all" }, async (supervisor) => {
      await sleep(1);
      expect(await supervisor.remove("b")).toBe(true);
      expect(await supervisor.remove("b")).toBe(false);
      expect([supervisor.active, supervisor.restarts]).toEqual([2, 0]);
    });
    expect(trail.lines.slice(3)).toEqual(steps("1 stopped b, 1 stopped c, 1 stopped a"));
  });

  test("remove takes back a restart that is due, and then nobody is left", async () => {
    const children = [child("a", { start: failing(10) })];
    await run(children, { restartDelayMs: 1000 }, async (supervisor) => {
      await sleep(20);
      expect(supervisor.tree().children).toMatchObject([{ state: "due" }]);
      expect(await supervisor.remove("a")).toBe(true);
      await supervisor.wait();
      expect(now()).toBe(20);
    });
  });

  test("restart counts as none, and does not wait for one that is due", async () => {
    const children = abc({ b: failing(10) });
    const options = { intensity: 1, restartDelayMs: 1000 };
    const trail = await run(children, options, async (supervisor) => {
      await sleep(5);
      await supervisor.restart("a");
      await sleep(10);
      await supervisor.restart("b");
      await sleep(2000);
      expect(supervisor.restarts).toBe(1);
    });
    expect(trail.lines.slice(3, -3)).toEqual(
      steps("5 stopped a, 5 started a, 10 failed b, 10 restarting b, 15 started b"),
    );
  });

  test("a restart that cannot be started is told to the caller, and tried again", async () => {
    const broken = new Error("no port");
    const start = async (own: ChildContext): Promise<void> => {
      if (own.restarts === 1) throw broken;
      own.ready();
      await idle(own);
    };
    const trail = await run([child("a", { start, readyWithinMs: 10 })], {}, async (supervisor) => {
      await supervisor.started();
      expect(await caught(supervisor.restart("a"))).toBe(broken);
      await sleep(1);
      expect([supervisor.active, supervisor.restarts]).toEqual([1, 1]);
      expect(await caught(supervisor.restart("z"))).toMatchObject({ code: "MISUSE" });
    });
    expect(trail.lines).toEqual(
      steps("0 started a, 0 stopped a, 0 failed a, 0 restarting a, 0 started a, 1 stopped a"),
    );
  });

  test("one too many ends the supervisor, and the caller still hears why", async () => {
    const start = (own: ChildContext): Promise<void> => {
      if (own.restarts > 0) throw new Error("no port");
      own.ready();
      return idle(own);
    };
    await run([child("a", { start, readyWithinMs: 10 })], { intensity: 0 }, async (supervisor) => {
      await supervisor.started();
      expect(await caught(supervisor.restart("a"))).toMatchObject({ message: "no port" });
      expect(await caught(supervisor.wait())).toMatchObject({ code: "GAVE_UP" });
    });
  });

  test("callers of every kind, in any order, leave a supervisor whole (80 seeds)", async () => {
    await overSeeds(80, async (seed) => {
      await run(
        abc({ b: failing(3, 3) }),
        { intensity: Number.POSITIVE_INFINITY, strategy: "rest-for-one" },
        async (supervisor) => {
          const calls = [
            supervisor.add(child("d", slowly)),
            supervisor.restart("b"),
            supervisor.remove("c"),
            supervisor.restart("a"),
            supervisor.remove("d").then(() => supervisor.add(child("e"))),
          ];
          await Promise.all(calls.map(caught));
          await sleep(30);
          const ids = supervisor.tree().children.map(({ id, state }) => `${id} ${state}`);
          expect(ids.filter((line) => !line.startsWith("d"))).toEqual([
            "a running",
            "b running",
            "e running",
          ]);
        },
        seed,
      );
    });
  });
});

describe("a dynamic supervisor", () => {
  const serve = async ({ ctx }: ChildContext, cleanupMs: number): Promise<void> => {
    await caught(sleep(Number.POSITIVE_INFINITY, ctx));
    await sleep(cleanupMs);
  };

  test.each([
    // how long the children take to stop, the limit, when it is over, how many are abandoned
    [[1000, 1000, 5000], 2000, 2000, 1],
    [[1000, 1000, 1000], 2000, 1000, 0],
    [[0, 0, 0], 0, 0, 3],
    [[7000], Number.POSITIVE_INFINITY, 7000, 0],
    [[], 2000, 0, 0],
  ])("children that take %j stop together, within %s ms: at %s", async (times, shutdownMs, at, abandoned) => {
    const trail = new Trail();
    await simulate(async () => {
      const sessions = new DynamicSupervisor(serve, { shutdownMs, onEvent: trail.onEvent });
      for (const time of times) await sessions.add(time);
      await sessions.stop();
      expect(now()).toBe(at);
      expect(sessions.active).toBe(0);
      await sleep(10_000);
    });
    expect(trail.events.filter(({ type }) => type === "abandoned")).toHaveLength(abandoned);
    expect(trail.events.filter(({ type }) => type === "stopped")).toHaveLength(times.length - abandoned);
  });

  inBothRuntimes("restarts each with what it was given, and stays when nobody is left", async () => {
    const seen: string[] = [];
    const start = async (own: ChildContext, name: string): Promise<void> => {
      seen.push(`${name} ${own.restarts}`);
      await failing(1)(own);
    };
    await using jobs = new DynamicSupervisor(start, { intensity: 10, name: "job" });
    const first = await jobs.add("ada");
    const second = await jobs.add("grace");
    await sleep(5);
    expect(seen.toSorted()).toEqual(["ada 0", "ada 1", "grace 0", "grace 1"]);
    expect([first, second]).toEqual(["job-1", "job-2"]);
    expect([await jobs.remove(first), await jobs.remove(second), jobs.active]).toEqual([true, true, 0]);
    await sleep(5);
    await jobs.add("linus");
    expect(jobs.active).toBe(1);
  });

  inBothRuntimes("refuses beyond its capacity; what has ended makes room", async () => {
    await using jobs = new DynamicSupervisor((_, ms: number) => sleep(ms), {
      capacity: 2,
      restart: "temporary",
    });
    await jobs.add(5);
    await jobs.add(10);
    expect(await caught(jobs.add(1))).toMatchObject({ code: "FULL" });
    await sleep(7);
    await jobs.add(1);
  });

  test("gives up for all of them when there are too many restarts", async () => {
    await simulate(async () => {
      const jobs = new DynamicSupervisor(failing(5), { intensity: 1 });
      await Promise.all([jobs.add(), jobs.add(), jobs.add()]);
      expect(await caught(jobs.wait())).toMatchObject({ code: "GAVE_UP" });
    });
  });

  test("bad arguments are refused at the call, by name", () => {
    expect(() => new DynamicSupervisor("x" as never)).toThrow(/start must be a function/);
    expect(() => new DynamicSupervisor(idle, { capacity: 0 })).toThrow(/capacity/);
    expect(() => new DynamicSupervisor(idle, { shutdownMs: Number.NaN })).toThrow(/options\.shutdownMs/);
    expect(() => new DynamicSupervisor(idle, { intensity: -1 })).toThrow(/intensity/);
  });

  test("thousands come and go", async () => {
    await simulate(async () => {
      let ended = 0;
      const start = async ({ ctx }: ChildContext, ms: number): Promise<void> => {
        await sleep(ms, ctx).catch(() => {});
        ended++;
      };
      const jobs = new DynamicSupervisor(start, { restart: "temporary" });
      for (let job = 0; job < 2000; job++) await jobs.add(job % 2 === 0 ? 1 : 1000);
      await sleep(10);
      expect([jobs.active, ended]).toEqual([1000, 1000]);
      await jobs.stop();
      expect([jobs.active, ended]).toEqual([0, 2000]);
    });
  });
});

describe("a tree", () => {
  test("escalation restarts a supervisor with the children of its list; those that were added are lost", async () => {
    let inner: Supervisor | undefined;
    const workers = {
      id: "workers",
      supervisor: () => (inner = new Supervisor([child("x")], { ...stay, intensity: 0 })),
    };
    const trail = await run([child("a"), workers], {}, async (supervisor) => {
      await supervisor.started();
      await inner?.add(child("y", { start: failing(10) }));
      expect(supervisor.tree().children[1]).toMatchObject({
        id: "workers",
        restarts: 0,
        supervisor: { children: [{ id: "x" }, { id: "y" }] },
      });
      await sleep(20);
      expect(supervisor.tree().children[1]).toMatchObject({
        id: "workers",
        state: "running",
        restarts: 1,
        supervisor: { name: "supervisor", restarts: 0, children: [{ id: "x", state: "running" }] },
      });
    });
    expect(trail.lines).toEqual(
      steps(
        "0 started a, 0 started workers, 10 failed workers, 10 restarting workers, 10 started workers",
        "20 stopped workers, 20 stopped a",
      ),
    );
    expect(trail.events[2]).toMatchObject({ error: { code: "GAVE_UP", cause: { message: "failure 1" } } });
  });

  test("a supervisor that gives up has failed: a transient one is restarted, a temporary one is not", async () => {
    for (const restart of ["transient", "temporary"] as const) {
      let made = 0;
      const supervisor = (): Supervisor => {
        const child = made++ === 0 ? { id: "x", start: failing(10) } : { id: "x", start: idle };
        return new Supervisor([child], { intensity: 0 });
      };
      const trail = await run([{ id: "node", restart, supervisor }, child("a")], {}, stopAt(20));
      expect(trail.events.find(({ type }) => type === "failed")).toMatchObject({
        id: "node",
        error: { code: "GAVE_UP" },
      });
      expect([made, trail.lines.filter((line) => line.includes("started node")).length]).toEqual(
        restart === "transient" ? [2, 2] : [1, 1],
      );
    }
  });

  test("starts and stops in order through all its floors, each waited for (50 seeds)", async () => {
    await overSeeds(50, async (seed) => {
      const lives: string[] = [];
      const leaf = (id: string): ChildSpec => ({
        id,
        readyWithinMs: 100,
        start: async ({ ctx, ready }) => {
          await sleep(1, ctx);
          lives.push(`+${id}`);
          ready();
          await caught(sleep(Number.POSITIVE_INFINITY, ctx));
          await sleep(10);
          lives.push(`-${id}`);
        },
      });
      const node = (id: string, ...children: ConstructorParameters<typeof Supervisor>[0]) => ({
        id,
        supervisor: () => new Supervisor(children),
      });
      const children = [leaf("a"), node("b", leaf("c"), node("d", leaf("e"), leaf("f"))), leaf("g")];
      await run(children, {}, stopAt(100), seed);
      expect(lives.join(" ")).toBe("+a +c +e +f +g -g -f -e -c -a");
    });
  });

  test("what cannot be started below rolls back all that was started before it", async () => {
    const bad = child("bad", { readyWithinMs: 10, start: () => Promise.reject(new Error("no port")) });
    const node = { id: "node", supervisor: () => new Supervisor([child("x"), bad]) };
    const trail = await run([child("a"), node], {}, async (supervisor) => {
      expect(await caught(supervisor.wait())).toMatchObject({
        message: 'child "node" could not be started',
        cause: { message: 'child "bad" could not be started', cause: { message: "no port" } },
      });
    });
    expect(trail.lines).toEqual(steps("0 started a, 0 failed node, 0 gave-up node, 0 stopped a"));
  });

  test("a transient supervisor that ends by itself is not restarted, and its shutdown is waited for", async () => {
    const slow = child("x", { shutdownMs: 60_000, start: () => sleep(10_000) });
    const once = child("once", { restart: "transient", start: () => sleep(5) });
    const children = [
      { id: "done", restart: "transient", supervisor: () => new Supervisor([once]) } as const,
      { id: "slow", supervisor: () => new Supervisor([slow]) },
    ];
    const trail = await run(children, {}, async (supervisor) => {
      await sleep(10);
      await supervisor.stop();
      expect(now()).toBe(10_000);
    });
    expect(trail.lines).toEqual(steps("0 started done, 0 started slow, 5 ended done, 10000 stopped slow"));
  });

  test("a dynamic supervisor is a child like any other", async () => {
    let jobs: DynamicSupervisor | undefined;
    const node = { id: "jobs", supervisor: () => (jobs = new DynamicSupervisor(idle, { name: "job" })) };
    await run([node], {}, async (supervisor) => {
      await supervisor.started();
      await jobs?.add();
      expect(supervisor.tree().children[0]?.supervisor).toMatchObject({
        name: "job",
        children: [{ id: "job-1" }],
      });
    });
    expect(jobs?.active).toBe(0);
  });

  test("what makes a supervisor may break, as a child may", async () => {
    const make = (): Supervisor => {
      throw new Error("no supervisor");
    };
    await run([{ id: "node", supervisor: make }], {}, async (supervisor) => {
      expect(await caught(supervisor.wait())).toMatchObject({ cause: { message: "no supervisor" } });
    });
    expect(() => new Supervisor([{ id: "node", supervisor: "x" as never }])).toThrow(
      /children\[0\]\.supervisor must be a function/,
    );
  });
});
