import { withTimeout } from "concurrency-model-patterns/context";
import {
  type ChildContext,
  type ChildSpec,
  Supervisor,
  type SupervisorError,
} from "concurrency-model-patterns/supervisor";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds } from "../support/both-runtimes.ts";
import { caught, failing, idle, run, signalAt, steps, stopAt } from "../support/supervision.ts";

/** Is ready after so long, then lives until it is stopped. */
const readyAfter =
  (ms: number): ChildSpec["start"] =>
  async ({ ctx, ready }) => {
    await sleep(ms, ctx);
    ready();
    await sleep(Number.POSITIVE_INFINITY, ctx);
  };

/** Each life does what its place in the list says: a number gets ready after so long, an error fails at once. */
const lives =
  (...plan: (number | Error)[]): ChildSpec["start"] =>
  async (child) => {
    const step = plan[child.restarts] ?? 0;
    if (step instanceof Error) throw step;
    await readyAfter(step)(child);
  };

const slow = (id: string, ms: number, readyWithinMs = 1000): ChildSpec => ({
  id,
  readyWithinMs,
  start: readyAfter(ms),
});

describe("readiness", () => {
  test("the next child is started when the one before is ready (50 seeds)", async () => {
    await overSeeds(50, async (seed) => {
      const trail = await run([slow("a", 10), slow("b", 20), slow("c", 0)], {}, stopAt(40), seed);
      expect(trail.lines).toEqual(
        steps("10 started a, 30 started b, 30 started c, 40 stopped c, 40 stopped b, 40 stopped a"),
      );
    });
  });

  test("a child that returns is as good as ready: a job is done before the next is started", async () => {
    const job: ChildSpec = { id: "job", restart: "transient", readyWithinMs: 100, start: () => sleep(10) };
    const trail = await run([job, { id: "a", start: idle }], {}, stopAt(20));
    expect(trail.lines).toEqual(steps("10 started job, 10 started a, 10 ended job, 20 stopped a"));
  });

  inBothRuntimes("started() waits for all of them", async () => {
    await using supervisor = new Supervisor([slow("a", 2), slow("b", 3)]);
    await supervisor.started();
    expect(supervisor.tree().children.map(({ state }) => state)).toEqual(["running", "running"]);
    await supervisor.started();
    expect(await caught(supervisor.started({ signal: AbortSignal.abort("no") }))).toBe("no");
  });

  inBothRuntimes("who is cancelled while waiting for started() leaves, and the children go on", async () => {
    await using supervisor = new Supervisor([slow("a", 20)]);
    const { ctx } = withTimeout({}, 5);
    expect(await caught(supervisor.started(ctx))).toMatchObject({ code: "TIMEOUT" });
    await supervisor.started();
  });

  inBothRuntimes("a stop during the start ends started() as closed, and is heeded at once", async () => {
    const supervisor = new Supervisor([slow("a", 0), slow("b", 10_000, Number.POSITIVE_INFINITY)]);
    const started = caught(supervisor.started());
    await sleep(5);
    expect(supervisor.tree().children.map(({ state }) => state)).toEqual(["running", "starting"]);
    const before = now();
    await supervisor.stop();
    expect(now() - before).toBe(0);
    expect(await started).toMatchObject({ code: "CLOSED" });
    expect(supervisor.active).toBe(0);
  });

  test.each<[string, ChildSpec, string[], object]>([
    [
      "fails",
      {
        id: "b",
        readyWithinMs: 100,
        start: () => sleep(10).then(() => Promise.reject(new Error("no port"))),
      },
      steps("0 started a, 10 failed b, 10 gave-up b, 10 stopped a"),
      { message: "no port" },
    ],
    [
      "fails at once",
      { id: "b", readyWithinMs: 100, start: () => Promise.reject(new Error("no port")) },
      steps("0 started a, 0 failed b, 0 gave-up b, 0 stopped a"),
      { message: "no port" },
    ],
    [
      "is not ready in time",
      slow("b", 500, 100),
      steps("0 started a, 100 failed b, 100 gave-up b, 100 stopped a"),
      { code: "TIMEOUT", message: 'child "b" was not ready within 100 ms' },
    ],
    [
      "is not ready in time and does not stop either",
      { id: "b", readyWithinMs: 100, shutdownMs: 50, start: () => sleep(160) },
      steps("0 started a, 150 abandoned b, 150 failed b, 150 gave-up b, 150 stopped a"),
      { code: "TIMEOUT" },
    ],
  ])("a start that %s rolls back those before it, and is no restart", async (_, b, lines, cause) => {
    const children = [{ id: "a", start: idle }, b, { id: "c", start: idle }];
    const trail = await run(children, { intensity: Number.POSITIVE_INFINITY }, async (supervisor) => {
      await sleep(200);
      const error = (await caught(supervisor.started())) as SupervisorError;
      expect(error).toMatchObject({ code: "GAVE_UP", message: 'child "b" could not be started' });
      expect(error.cause).toMatchObject(cause);
      expect(error.history).toMatchObject([{ id: "b", after: "failed" }]);
      expect(await caught(supervisor.wait())).toBe(error);
      expect(supervisor.restarts).toBe(0);
    });
    expect(trail.lines).toEqual(lines);
  });

  test("what a child fails with after it was too late is not lost", async () => {
    const start = async ({ ctx }: ChildContext): Promise<void> => {
      await caught(sleep(500, ctx));
      throw new Error("cleanup broke");
    };
    await run([{ id: "a", readyWithinMs: 100, start }], {}, async (supervisor) => {
      const { cause } = (await caught(supervisor.wait())) as SupervisorError;
      expect(cause).toMatchObject({ code: "TIMEOUT", suppressed: [{ message: "cleanup broke" }] });
    });
  });

  test("ready() of a life that is over, or was never awaited, does nothing", async () => {
    const contexts: ChildContext[] = [];
    const start = async (child: ChildContext): Promise<void> => {
      contexts.push(child);
      child.ready();
      child.ready();
      await failing(10)(child);
    };
    const trail = await run([{ id: "a", start, watchdogMs: 1000 }], {}, async (supervisor) => {
      await sleep(20);
      contexts[0]?.ready();
      contexts[0]?.heartbeat();
      await supervisor.stop();
      contexts[1]?.ready();
    });
    expect(trail.lines.slice(1)).toEqual(steps("10 failed a, 10 restarting a, 10 started a, 20 stopped a"));
  });
});

describe("a start that fails during a restart", () => {
  const broken = new Error("cannot start");

  test("counts as a restart and is tried again until the intensity is exceeded", async () => {
    const a: ChildSpec = {
      id: "a",
      readyWithinMs: 100,
      start: async (child) => {
        if (child.restarts > 0) throw broken;
        child.ready();
        await failing(10)(child);
      },
    };
    const trail = await run([a], { intensity: 4 }, async (supervisor) => {
      const error = (await caught(supervisor.wait())) as SupervisorError;
      expect(error.cause).toBe(broken);
      expect(error.history).toHaveLength(5);
    });
    const tries = trail.events.filter(({ type }) => type === "failed");
    expect(tries.map(({ restarts }) => restarts)).toEqual([0, 1, 2, 3, 4]);
    expect(trail.lines.at(-1)).toBe("10 gave-up a");
  });

  test("one-for-all stops the ones already restarted and begins again (30 seeds)", async () => {
    await overSeeds(30, async (seed) => {
      const children: ChildSpec[] = [
        { id: "a", readyWithinMs: 100, start: lives(0, 1, 1) },
        { id: "b", start: failing(10) },
        { id: "c", readyWithinMs: 100, start: lives(0, broken, 0) },
      ];
      const trail = await run(children, { strategy: "one-for-all", intensity: 2 }, stopAt(50), seed);
      expect(trail.lines.slice(3, -3)).toEqual(
        steps(
          "10 failed b, 10 restarting b, 10 stopped c, 10 stopped a",
          "11 started a, 11 started b, 11 failed c, 11 restarting c, 11 stopped b, 11 stopped a",
          "12 started a, 12 started b, 12 started c",
        ),
      );
    });
  });

  test("rest-for-one goes on from the one that failed (30 seeds)", async () => {
    await overSeeds(30, async (seed) => {
      const children: ChildSpec[] = [
        { id: "a", start: failing(10) },
        { id: "b", readyWithinMs: 100, start: lives(0, broken, 0) },
        { id: "c", start: idle },
      ];
      const trail = await run(children, { strategy: "rest-for-one", intensity: 2 }, stopAt(50), seed);
      expect(trail.lines.slice(3, -3)).toEqual(
        steps(
          "10 failed a, 10 restarting a, 10 stopped c, 10 stopped b",
          "10 started a, 10 failed b, 10 restarting b, 10 started b, 10 started c",
        ),
      );
    });
  });

  test("one-for-one tries that child alone", async () => {
    const children: ChildSpec[] = [
      { id: "a", start: idle },
      { id: "b", start: failing(10) },
      { id: "c", readyWithinMs: 100, start: lives(0) },
    ];
    const b: ChildSpec = {
      id: "b",
      readyWithinMs: 100,
      start: async (child) => {
        if (child.restarts === 1) throw broken;
        child.ready();
        await failing(10)(child);
      },
    };
    const trail = await run(children.with(1, b), { intensity: 2 }, stopAt(15));
    expect(trail.lines.slice(3, -3)).toEqual(
      steps("10 failed b, 10 restarting b, 10 failed b, 10 restarting b, 10 started b"),
    );
  });

  test("a supervisor in a loop of failing starts stays responsive to stop and to callers (50 seeds)", async () => {
    await overSeeds(50, async (seed) => {
      let fails = false;
      const start = ({ ready, ctx }: ChildContext): Promise<void> => {
        if (fails) throw broken;
        ready();
        return sleep(1, ctx);
      };
      const options = { intensity: Number.POSITIVE_INFINITY };
      await simulate(
        async () => {
          const supervisor = new Supervisor([{ id: "a", readyWithinMs: 10, start }], options);
          await supervisor.started();
          fails = true;
          await sleep(1);
          await supervisor.add({ id: "b", start: idle });
          expect(await supervisor.remove("b")).toBe(true);
          await supervisor.stop();
          expect(supervisor.active).toBe(0);
        },
        { seed },
      );
    });
  });
});

describe("ignore", () => {
  const ignored = (restart: ChildSpec["restart"], readyWithinMs?: number): ChildSpec => ({
    id: "a",
    restart,
    readyWithinMs,
    start: (child) => (child.restarts === 0 ? child.ignore() : readyAfter(0)(child)),
  });

  test.each([
    ["permanent", true],
    ["transient", true],
    ["temporary", false],
  ] as const)("a %s child is not restarted; whether it is kept: %s", async (restart, kept) => {
    const children = [ignored(restart, 100), { id: "b", start: idle }];
    const trail = await run(children, {}, async (supervisor) => {
      await supervisor.started();
      await sleep(1);
      expect(supervisor.tree().children.map(({ id, state }) => `${id} ${state}`)).toEqual(
        kept ? ["a idle", "b running"] : ["b running"],
      );
      if (kept) await supervisor.restart("a");
      expect(supervisor.active).toBe(kept ? 2 : 1);
    });
    expect(trail.lines.slice(0, 2)).toEqual(["0 started b", "0 ignored a"]);
  });

  test("a failure is a failure all the same, and so is any later life that does not ignore", async () => {
    const start = ({ ignore, restarts }: ChildContext): void => {
      if (restarts === 0) ignore();
      throw new Error("broken");
    };
    const trail = await run([{ id: "a", start }], {}, (supervisor) => supervisor.wait().catch(() => {}));
    expect(trail.lines).toEqual(
      steps("0 started a, 0 failed a, 0 restarting a, 0 started a, 0 failed a, 0 gave-up a"),
    );
  });
});

test("a signal that aborts while a child gets ready stops it, and leaves nothing", async () => {
  await simulate(async () => {
    const supervisor = new Supervisor([slow("a", 1000, 2000)], { signal: signalAt(10) });
    await supervisor.wait();
    expect(now()).toBe(10);
  });
});

inBothRuntimes("a child whose time is up before its turn is not called any more", async () => {
  const calledWith: unknown[] = [];
  const start = ({ ctx }: ChildContext): void => void calledWith.push(ctx.error);
  const supervisor = new Supervisor([{ id: "a", readyWithinMs: 0, start }]);
  expect(await caught(supervisor.wait())).toMatchObject({ code: "GAVE_UP" });
  expect(calledWith.filter((error) => error !== undefined)).toEqual([]);
});
