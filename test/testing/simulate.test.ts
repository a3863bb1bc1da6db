import { readFile } from "node:fs/promises";
import { AsyncLocalStorage } from "node:async_hooks";
import { Barrier } from "concurrency-model-patterns/barrier";
import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { Mutex } from "concurrency-model-patterns/mutex";
import { after, receive, select } from "concurrency-model-patterns/select";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import {
  DeadlockError,
  LeakError,
  log,
  random,
  type RunEvent,
  simulate,
  type SimulateOptions,
  type StalledError,
} from "concurrency-model-patterns/testing";
import { now, sleep, Ticker } from "concurrency-model-patterns/timers";
import { WaitGroup } from "concurrency-model-patterns/wait-group";
import { afterEach, describe, expect, test } from "vitest";
import { currentRuntime, useRuntime } from "../../src/core/runtime.ts";
import { overSeeds } from "../support/both-runtimes.ts";
import { hostTimers, listenersOf } from "../support/listeners.ts";
import { ended, failureOf } from "../support/outcomes.ts";
import { fromOutside } from "../support/outside.ts";

const plain = currentRuntime();
afterEach(() => {
  const left = currentRuntime() !== plain;
  useRuntime();
  if (left) throw new Error("a simulation left its runtime behind");
});

/** Runs `program` and gives the lines of its event log. */
async function logOf(program: () => Promise<unknown>, options: SimulateOptions): Promise<string[]> {
  const lines: string[] = [];
  await simulate(program, { ...options, onEvent: (event) => lines.push(JSON.stringify(event)) });
  return lines;
}

async function eventsOf(program: () => Promise<unknown>, seed: number): Promise<RunEvent[]> {
  return (await logOf(program, { seed })).map((line) => JSON.parse(line) as RunEvent);
}

/** A bit of everything: channels, select, timers, deadlines, a semaphore, a lock, failures. */
async function busyProgram(): Promise<void> {
  const jobs = new Channel<number>(2, { name: "jobs" });
  const results = new Channel<string>(0, { name: "results" });
  const gate = new Semaphore(2);
  const mutex = new Mutex();
  let total = 0;
  await TaskGroup.run(async (group) => {
    group.go(
      async () => {
        for (let n = 0; n < 6; n++) await jobs.send(n, group.ctx);
        jobs.close();
      },
      { name: "producer" },
    );
    const workers = [1, 2, 3].map((worker) =>
      group.go(
        async () => {
          for await (const job of jobs) {
            const permit = await gate.acquire(1, group.ctx);
            await sleep(Math.floor(random() * 3), group.ctx);
            permit();
            await mutex.withLock(() => void total++);
            await results.send(`${worker}:${job}`, group.ctx);
          }
        },
        { name: `worker ${worker}` },
      ),
    );
    group.go(async () => {
      for (const worker of workers) await worker.join();
      results.close();
    });
    group.go(async () => {
      const { ctx, cancel } = withTimeout(group.ctx, 2);
      await ended(sleep(5, ctx));
      cancel();
    });
    for (;;) {
      const chosen = await select({ result: receive(results), late: after(100) }, group.ctx);
      if (chosen.key === "late" || chosen.done === true) break;
      log(chosen.value);
    }
  });
  expect(total).toBe(6);
}

describe("a simulation: its seed", () => {
  test("gives the same event log, byte for byte, a hundred times out of a hundred", async () => {
    const first = (await logOf(busyProgram, { seed: 42 })).join("\n");
    for (let n = 0; n < 100; n++) expect((await logOf(busyProgram, { seed: 42 })).join("\n")).toBe(first);
  });

  test("gives other event logs with other seeds", async () => {
    const logs = new Set<string>();
    await overSeeds(30, async (seed) => void logs.add((await logOf(busyProgram, { seed })).join("\n")));
    expect(logs.size).toBe(30);
  });

  test("gives the same log whether or not somebody listens, and whatever ran before", async () => {
    const reference = await simulate(busyProgram, { seed: 9 });
    await simulate(busyProgram, { seed: 10 });
    for (let n = 0; n < 2000; n++) await new Channel<number>(1).send(n);
    const again = await simulate(busyProgram, { seed: 9, onEvent: () => {} });
    expect(again).toEqual(reference);
    expect(again.replayable).toBe(true);
  });

  test("is drawn and reported if none is given, and repeats the run", async () => {
    const program = async (): Promise<number> => random();
    const { seed, value } = await simulate(program);
    expect((await simulate(program, { seed })).value).toBe(value);
    expect((await simulate(program)).seed).not.toBe(seed);
  });

  test("repeats a run of many operations that do not wait", async () => {
    const program = async (): Promise<void> => {
      const channel = new Channel<number>(1);
      await TaskGroup.run((group) => {
        for (let t = 0; t < 2; t++) {
          group.go(async () => {
            for (let n = 0; n < 1500; n++) {
              await channel.send(n, group.ctx);
              await channel.receive(group.ctx);
            }
          });
        }
      });
    };
    const runs = [];
    for (let n = 0; n < 2; n++) runs.push(await simulate(program, { seed: 3 }));
    expect(runs[0]?.replayable).toBe(true);
    expect(runs[0]).toEqual(runs[1]);
  });

  test("decides who goes first", async () => {
    const orders = new Set<string>();
    await overSeeds(50, async (seed) => {
      const { value } = await simulate(
        async () => {
          const order: number[] = [];
          await TaskGroup.run((group) => {
            for (let n = 0; n < 3; n++) group.go(() => void order.push(n));
          });
          return order.join("");
        },
        { seed },
      );
      orders.add(value);
    });
    expect(orders.size).toBe(6);
  });
});

describe("a simulation: its time", () => {
  test("jumps: a year takes no time", async () => {
    const year = 365 * 24 * 3600 * 1000;
    const { value, elapsedMs } = await simulate(async () => {
      expect(now()).toBe(0);
      await sleep(year);
      return now();
    });
    expect([value, elapsedMs]).toEqual([year, year]);
  });

  test("moves only when every task is blocked", async () => {
    await overSeeds(20, async (seed) => {
      await simulate(
        async () => {
          const channel = new Channel<number>();
          await TaskGroup.run((group) => {
            group.go(async () => {
              for (let n = 0; n < 20; n++) await channel.send(n, group.ctx);
              expect(now()).toBe(0);
            });
            group.go(async () => {
              for (let n = 0; n < 20; n++) await channel.receive(group.ctx);
              expect(now()).toBe(0);
            });
            group.go(() => sleep(0.001));
          });
        },
        { seed },
      );
    });
  });

  test("lets two timers of one instant fire in either order", async () => {
    const orders = new Set<string>();
    await overSeeds(40, async (seed) => {
      const order: string[] = [];
      await simulate(() => Promise.all(["a", "b"].map((name) => sleep(5).then(() => order.push(name)))), {
        seed,
      });
      orders.add(order.join(""));
    });
    expect(orders).toEqual(new Set(["ab", "ba"]));
  });

  test("can be paced: a virtual second at speed 1000 takes a millisecond at least", async () => {
    const before = performance.now();
    const { elapsedMs, replayable } = await simulate(() => sleep(1000), { speed: 1000 });
    expect(performance.now() - before).toBeGreaterThanOrEqual(0.99);
    expect([elapsedMs, replayable]).toEqual([1000, true]);
  });

  test("gives the same log at any speed", async () => {
    const unpaced = await logOf(busyProgram, { seed: 4 });
    const paced = await logOf(busyProgram, { seed: 4, speed: 5 });
    const body = (lines: string[]): string[] => lines.filter((line) => !line.includes("run.start"));
    expect(body(paced)).toEqual(body(unpaced));
  });

  test("can be the machine's: then a run is not replayable", async () => {
    const before = performance.now();
    const { elapsedMs, replayable } = await simulate(() => sleep(3), { clock: "real" });
    expect(performance.now() - before).toBeGreaterThanOrEqual(3);
    expect(elapsedMs).toBeGreaterThanOrEqual(3);
    expect(replayable).toBe(false);
  });

  test("leaves no timer of the host", async () => {
    const before = hostTimers();
    await simulate(busyProgram, { seed: 1, speed: 1000 });
    await simulate(() => readFile(import.meta.filename));
    expect(hostTimers()).toBe(before);
  });
});

describe("a simulation: deadlocks and leaks", () => {
  test("names every task that is blocked, its operation, and what that concerns", async () => {
    const error = (await failureOf(
      simulate(async () => {
        const left = new Channel<number>(0, { name: "left" });
        const right = new Channel<number>(0, { name: "right" });
        await TaskGroup.run((group) => {
          group.go(async () => (await left.receive(), right.send(1)), { name: "one" });
          group.go(async () => (await right.receive(), left.send(1)), { name: "other" });
          group.go(() => select({ l: receive(left), r: receive(right) }), { name: "third" });
        });
      }),
    )) as DeadlockError;
    expect(error).toBeInstanceOf(DeadlockError);
    expect(error.code).toBe("DEADLOCK");
    expect(error.message.split("\n")).toEqual([
      "all tasks are asleep - deadlock! (at 0 ms)",
      "  main (task 0): wait on group#4 (could be woken by one, other, third)",
      "  one (task 1): recv on left (no other live task has used it)",
      "  other (task 2): recv on right (no other live task has used it)",
      "  third (task 3): select on left, right (no other live task has used them)",
    ]);
    expect(error.tasks[1]).toEqual({
      id: 1,
      name: "one",
      waitsFor: [{ op: "recv", on: ["left"], wakers: [] }],
    });
  });

  test("says who could have woken whom: who holds a lock, who has sent or done before", async () => {
    const error = (await failureOf(
      simulate(async () => {
        const [jobs, results] = [
          new Channel<number>(4, { name: "jobs" }),
          new Channel<number>(0, { name: "results" }),
        ];
        const [a, b] = [new Mutex({ name: "a" }), new Mutex({ name: "b" })];
        const meet = new Barrier(2);
        const cross = async (first: Mutex, second: Mutex): Promise<void> => {
          await first.lock();
          await meet.wait();
          await second.lock();
        };
        await TaskGroup.run((group) => {
          group.go(async () => (await jobs.send(1), await results.send(1)), { name: "producer" });
          group.go(async () => (await jobs.receive(), await jobs.receive()), { name: "consumer" });
          group.go(() => cross(a, b), { name: "ab" });
          group.go(() => cross(b, a), { name: "ba" });
          group.go(async () => (await sleep(1), await a.lock()), { name: "bystander" });
        });
      }),
    )) as DeadlockError;
    const report = error.message.split("\n").slice(2);
    expect(report).toEqual([
      "  producer (task 1): send on results (no other live task has used it)",
      "  consumer (task 2): recv on jobs (could be woken by producer)",
      "  ab (task 3): acquire on b (could be woken by ba)",
      "  ba (task 4): acquire on a (could be woken by ab)",
      "  bystander (task 5): acquire on a (could be woken by ab)",
    ]);
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["a send", () => new Channel<number>(0, { name: "c" }).send(1), /send on c/],
    ["a receive", () => new Channel<number>(0, { name: "c" }).receive(), /recv on c/],
    [
      "a lock",
      async () => {
        const mutex = new Mutex({ name: "m" });
        await mutex.lock();
        await mutex.lock();
      },
      /acquire on m/,
    ],
    [
      "a wait",
      () => {
        const group = new WaitGroup({ name: "w" });
        group.add();
        return group.wait();
      },
      /wait on w/,
    ],
    ["a sleep for ever", () => sleep(Number.POSITIVE_INFINITY), /sleep/],
    [
      "two waits at once",
      () => Promise.all([new Channel(0, { name: "a" }).receive(), new Channel(0, { name: "b" }).receive()]),
      /recv on a \(.*\); recv on b \(/,
    ],
  ])("reports %s that nobody can end", async (_, program, text) => {
    const error = await failureOf(simulate(program));
    expect((error as Error).message).toMatch(/^all tasks are asleep - deadlock!/);
    expect((error as Error).message).toMatch(text);
  });

  test("is found on some seeds only, if it hangs on the order, and the seed repeats it", async () => {
    const program = async (): Promise<void> => {
      const [a, b] = [new Mutex({ name: "a" }), new Mutex({ name: "b" })];
      await TaskGroup.run((group) => {
        for (const [first, second] of [
          [a, b],
          [b, a],
        ] as const) {
          group.go(() => first.withLock(() => second.withLock(() => {})));
        }
      });
    };
    const ends = [];
    for (let seed = 0; seed < 60; seed++) ends.push("error" in (await ended(simulate(program, { seed }))));
    expect(new Set(ends)).toEqual(new Set([true, false]));
    for (let seed = 0; seed < 60; seed++)
      expect("error" in (await ended(simulate(program, { seed })))).toBe(ends[seed]);
  });

  test("reports tasks that outlive the program, as leaked", async () => {
    const events: RunEvent[] = [];
    const error = await failureOf(
      simulate(
        () => {
          const group = new TaskGroup();
          group.go(() => new Channel(0, { name: "silent" }).receive(), { name: "stray" });
          group.go(() => sleep(10), { name: "sleeper" });
        },
        { onEvent: (event) => events.push(event) },
      ),
    );
    expect(error).toBeInstanceOf(LeakError);
    expect((error as LeakError).message.split("\n")).toEqual([
      "the program has ended, but 2 of its tasks have not:",
      "  stray (task 1): recv on silent (no other live task has used it)",
      "  sleeper (task 2): sleep",
    ]);
    const ends = events.filter((event) => event.k === "task.end").map(({ task, how }) => [task, how]);
    expect(ends).toEqual([
      [0, "ok"],
      [1, "leaked"],
      [2, "leaked"],
    ]);
  });

  test("lets tasks that can still go on at the end do so", async () => {
    let over = false;
    await simulate(() => {
      new TaskGroup().go(async () => {
        const channel = new Channel<number>(1);
        await channel.send(1);
        await channel.receive();
        over = true;
      });
    });
    expect(over).toBe(true);
  });

  test("leaves no listener on the signal it was given, however it ends", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    await simulate(() => 1, { signal });
    await failureOf(simulate(() => Promise.reject(new Error("no")), { signal }));
    await failureOf(simulate(() => select({}), { signal }));
    await failureOf(simulate(() => new Promise(() => {}), { signal, externalTimeoutMs: 1 }));
    expect(listenersOf(signal)).toBe(0);
  });
});

describe("a simulation: the outside", () => {
  test("waits for I/O, and is no longer replayable", async () => {
    const program = async (): Promise<string> => fromOutside(await readFile(import.meta.filename, "utf8"));
    const { value, replayable } = await simulate(program);
    expect([value.includes("waits for I/O"), replayable]).toEqual([true, false]);
  });

  test("goes on with virtual time after I/O", async () => {
    const { value } = await simulate(async () => {
      await readFile(import.meta.filename);
      const before = now();
      await sleep(1000);
      const channel = new Channel<number>(1);
      await channel.send(1);
      return now() - before;
    });
    expect(value).toBe(1000);
  });

  test("waits for a promise between tasks, and is no longer replayable", async () => {
    const { value, replayable } = await simulate(() =>
      TaskGroup.run(async (group) => {
        let resolve: ((value: number) => void) | undefined;
        const promise = new Promise<number>((r) => (resolve = r));
        group.go(async () => {
          await sleep(5);
          resolve?.(7);
        });
        return promise;
      }),
    );
    expect([value, replayable]).toEqual([7, false]);
  });

  test("is replayable with promises inside of one task", async () => {
    const { value, replayable } = await simulate(async () => {
      const inner = async (n: number): Promise<number> => {
        for (let k = 0; k < 20; k++) await Promise.resolve();
        await sleep(n);
        return n;
      };
      return Promise.all([inner(3), inner(1), Promise.resolve(2)]);
    });
    expect([value, replayable]).toEqual([[3, 1, 2], true]);
  });

  test("that never answers is an error after a while, which names the tasks", async () => {
    const error = (await failureOf(
      simulate(
        () =>
          TaskGroup.run(async (group) => {
            group.go(() => new Promise(() => {}), { name: "lost" });
            await group.wait();
          }),
        { externalTimeoutMs: 5 },
      ),
    )) as StalledError;
    expect([error.code, error.message.split("\n")[0]]).toEqual(["STALLED", "nothing has happened for 5 ms:"]);
    expect(error.message).toContain("lost (task 1): waits for something outside of the simulation");
  });

  test("that never answers is an error too while a ticker ticks", async () => {
    const controller = new AbortController();
    const guard = setTimeout(() => controller.abort(new Error("it hung")), 60_000);
    let stopListening = (): void => {};
    const error = await failureOf(
      simulate(
        (ctx) =>
          TaskGroup.run(async (group) => {
            using ticker = new Ticker(10);
            group.go(async () => {
              for (;;) await ticker.receive(group.ctx);
            });
            await new Promise((_, reject) => {
              const giveUp = (): void => reject(ctx.cause);
              ctx.signal.addEventListener("abort", giveUp);
              stopListening = () => ctx.signal.removeEventListener("abort", giveUp);
            });
          }),
        { externalTimeoutMs: 50, signal: controller.signal },
      ),
    );
    clearTimeout(guard);
    stopListening();
    expect(error).toMatchObject({ code: "STALLED" });
  });
});

describe("a simulation: several", () => {
  test("can be nested", async () => {
    const { value } = await simulate(async () => {
      await sleep(100);
      const inner = await simulate(async () => (await sleep(7), now()), { seed: 1 });
      await sleep(100);
      return [inner.value, now()];
    });
    expect(value).toEqual([7, 200]);
  });

  test("can run at the same time, each as it runs alone, and leave the plain runtime", async () => {
    const alone = [];
    for (const seed of [1, 2, 3]) alone.push(await logOf(busyProgram, { seed }));
    const together = await Promise.all([1, 2, 3].map((seed) => logOf(busyProgram, { seed })));
    expect(together).toEqual(alone);
    expect(currentRuntime()).toBe(plain);
  });

  test("leave the plain runtime when the first to begin is the last to end", async () => {
    await Promise.all([simulate(busyProgram, { seed: 1 }), simulate(() => 1)]);
    expect(currentRuntime()).toBe(plain);
    await Promise.all([simulate(() => 1), simulate(busyProgram, { seed: 1 })]);
    expect(currentRuntime()).toBe(plain);
  });

  test("are told apart from the plain runtime around them", async () => {
    const channel = new Channel<number>();
    const outside = (async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return channel.receive();
    })();
    await simulate(busyProgram, { seed: 1 });
    const before = performance.now();
    expect(now()).toBeGreaterThanOrEqual(before - 1000);
    await new Promise((resolve) => setTimeout(resolve, 4));
    channel.trySend(1);
    expect(await outside).toEqual({ value: 1, done: false });
  });
});

describe("a simulation: failure and cancellation", () => {
  test.each<[string, () => unknown, unknown]>([
    [
      "a throw",
      () => {
        throw new Error("boom");
      },
      new Error("boom"),
    ],
    ["a rejection", () => Promise.reject(new Error("boom")), new Error("boom")],
    ["undefined", () => Promise.reject(undefined), undefined],
  ])("of its program comes through: %s", async (_, program, error) => {
    expect(await ended(simulate(program))).toEqual({ error });
  });

  test("of a program comes before the tasks that it left behind", async () => {
    const error = await failureOf(
      simulate(() => {
        new TaskGroup().go(() => new Channel().receive());
        throw new Error("boom");
      }),
    );
    expect(error).toEqual(new Error("boom"));
  });

  test("by a signal ends the context of the program, which unwinds", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const notes: string[] = [];
    const error = await failureOf(
      simulate(
        (ctx) =>
          TaskGroup.run(async (group) => {
            group.go(async (inner) => {
              try {
                await sleep(1e6, inner);
              } finally {
                await sleep(1);
                notes.push("cleaned");
              }
            });
            await sleep(10, group.ctx);
            controller.abort(reason);
            await sleep(1e6, group.ctx);
          }, ctx),
        { signal: controller.signal },
      ),
    );
    expect([error, notes]).toEqual([reason, ["cleaned"]]);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("by a signal from outside reaches a paced program that sleeps", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 2);
    const error = await failureOf(
      simulate((ctx) => sleep(1e6, ctx), { speed: 1, signal: controller.signal }),
    );
    expect(error).toBe(reason);
  });

  test("that came before the start is seen by the program", async () => {
    const { value } = await simulate((ctx) => ctx.error?.code, { signal: AbortSignal.abort() });
    expect(value).toBe("CANCELED");
  });

  test("ends the context of the program when it has ended", async () => {
    const { value: ctx } = await simulate((inner) => inner);
    expect(ctx.error?.code).toBe("CANCELED");
  });

  test.each<[SimulateOptions, string]>([
    [{ seed: -1 }, "seed must be a whole number from 0 to 4294967295, got -1"],
    [{ seed: 2 ** 32 }, "seed must be a whole number from 0 to 4294967295, got 4294967296"],
    [{ seed: 1.5 }, "seed must be a whole number from 0 to 4294967295, got 1.5"],
    [{ seed: "3" as never }, 'seed must be a whole number from 0 to 4294967295, got "3"'],
    [{ speed: 0 }, "speed must be a number above 0, got 0"],
    [{ speed: Number.NaN }, "speed must be a number above 0, got NaN"],
    [{ clock: "atomic" as never }, 'clock must be one of "virtual", "real", got "atomic"'],
    [{ externalTimeoutMs: -1 }, "externalTimeoutMs must be a number above 0, got -1"],
  ])("by bad options: %o", async (options, message) => {
    expect(await failureOf(Promise.resolve().then(() => simulate(() => 1, options)))).toMatchObject({
      message,
    });
  });
});

describe("a simulation: its event log", () => {
  const fields = <K extends RunEvent["k"]>(events: RunEvent[], k: K): Extract<RunEvent, { k: K }>[] =>
    events.filter((event) => event.k === k) as Extract<RunEvent, { k: K }>[];

  test("is one total order in which time never goes back, on every seed", async () => {
    await overSeeds(100, async (seed) => {
      const events = await eventsOf(busyProgram, seed);
      expect(events.map(({ i }) => i)).toEqual(events.map((_, n) => n));
      expect(events.every(({ t }) => Number.isSafeInteger(t))).toBe(true);
      expect(events.every(({ t }, n) => n === 0 || t >= (events[n - 1]?.t ?? 0))).toBe(true);
      expect([events[0]?.k, events.at(-1)?.k]).toEqual(["run.start", "run.end"]);
    });
  });

  test("says in every event which version of the format it is", async () => {
    const events = await eventsOf(busyProgram, 1);
    expect(events.filter(({ v }) => v !== 1).map(({ k }) => k)).toEqual([]);
  });

  test("says of no event that a task did it that had not begun", async () => {
    const events = await eventsOf(busyProgram, 1);
    expect(fields(events, "task.spawn").map(({ task, parent }) => task === parent)).not.toContain(false);
  });

  test("holds one end for each task, one fate for each timer, a put before each take, on every seed", async () => {
    await overSeeds(100, async (seed) => {
      const events = await eventsOf(busyProgram, seed);
      const spawned = fields(events, "task.spawn").map(({ id }) => id);
      expect(spawned).toEqual(spawned.map((_, n) => n));
      expect(
        fields(events, "task.end")
          .map(({ task }) => task ?? -1)
          .toSorted((a, b) => a - b),
      ).toEqual(spawned);
      const timers = fields(events, "timer.set").map(({ id }) => id);
      const fates = [...fields(events, "timer.fire"), ...fields(events, "timer.clear")].map(({ id }) => id);
      expect(fates.toSorted((a, b) => a - b)).toEqual(timers);
      const puts = new Set<string>();
      for (const event of events) {
        if (event.k === "msg.put") puts.add(`${event.r} ${event.m}`);
        if (event.k === "msg.take") expect(puts.delete(`${event.r} ${event.m}`)).toBe(true);
      }
      const made = new Set(fields(events, "res.new").map(({ id }) => id));
      for (const event of events)
        if ("r" in event && typeof event.r === "number") expect(made.has(event.r)).toBe(true);
    });
  });

  test("holds as much held as freed, and levels that fit the capacity", async () => {
    await overSeeds(50, async (seed) => {
      const events = await eventsOf(busyProgram, seed);
      const capacity = new Map(fields(events, "res.new").map(({ id, cap }) => [id, cap ?? 0]));
      const held = new Map<number, number>();
      for (const event of events) {
        if (event.k === "hold") held.set(event.r, (held.get(event.r) ?? 0) + event.units);
        if (event.k === "free") held.set(event.r, (held.get(event.r) ?? 0) - event.units);
        if (event.k === "hold") expect(held.get(event.r)).toBeLessThanOrEqual(capacity.get(event.r) ?? 0);
        if (event.k === "msg.put" || event.k === "msg.take") {
          expect(event.n).toBeGreaterThanOrEqual(0);
          expect(event.n).toBeLessThanOrEqual(capacity.get(event.r) ?? 0);
        }
      }
      expect([...held.values()].every((units) => units === 0)).toBe(true);
    });
  });

  test("moves each task through its states as they can follow each other", async () => {
    await overSeeds(50, async (seed) => {
      const waits = new Map<number, number>();
      for (const event of await eventsOf(busyProgram, seed)) {
        if (event.k !== "task.state" || event.task === undefined) continue;
        const open = waits.get(event.task) ?? 0;
        if (event.s === "blocked" || event.s === "sleeping") waits.set(event.task, open + 1);
        if (event.s === "ready") {
          expect(open).toBeGreaterThan(0);
          waits.set(event.task, open - 1);
        }
      }
      expect([...waits.values()].every((open) => open === 0)).toBe(true);
    });
  });

  test("names the task that acts: in helpers, after Promise.all, in finally, on 80 seeds", async () => {
    let wrong = 0;
    await overSeeds(80, async (seed) => {
      const names = new Map<number, string>();
      await simulate(
        async () => {
          const shared = new Channel<number>(1);
          const mutex = new Mutex();
          const helper = async (name: string, deep: number): Promise<void> => {
            log(`${name} in helper ${deep}`);
            await mutex.withLock(async () => {
              log(`${name} with the lock`);
              await sleep(1);
              log(`${name} still with the lock`);
            });
            if (deep > 0) await helper(name, deep - 1);
          };
          await TaskGroup.run((group) => {
            for (const name of ["ann", "bob", "cyd"]) {
              group.go(
                async () => {
                  try {
                    log(`${name} begins`);
                    await Promise.all([
                      helper(name, 1),
                      sleep(1),
                      Promise.resolve().then(() => log(`${name} in a then`)),
                    ]);
                    log(`${name} after all`);
                    await shared.send(1, group.ctx);
                    log(`${name} sent`);
                    await shared.receive(group.ctx);
                    log(`${name} received`);
                    await Promise.allSettled([sleep(0).then(() => log(`${name} slept`)), helper(name, 0)]);
                    throw new Error("out");
                  } catch {
                    log(`${name} in catch`);
                    await sleep(1);
                  } finally {
                    log(`${name} in finally`);
                    await sleep(0);
                    log(`${name} at the end`);
                  }
                },
                { name },
              );
            }
          });
        },
        {
          seed,
          onEvent: (event) => {
            if (event.k === "task.spawn") names.set(event.id, event.name);
            if (event.k === "log" && names.get(event.task ?? -1) !== event.text.split(" ")[0]) wrong++;
          },
        },
      );
    });
    expect(wrong).toBe(0);
  });

  test("names the parent of each task", async () => {
    const events = await eventsOf(
      () =>
        TaskGroup.run((group) => {
          group.go(() => void group.go(() => {}, { name: "grandchild" }), { name: "child" });
        }),
      1,
    );
    const tasks = fields(events, "task.spawn").map(({ name, parent }) => [name, parent]);
    expect(tasks).toEqual([
      ["main", undefined],
      ["child", 0],
      ["grandchild", 1],
    ]);
  });

  test("says how each task ended", async () => {
    const events = await eventsOf(async () => {
      const group = new TaskGroup({ errors: "collect" });
      group.go(() => 1);
      group.go(() => Promise.reject(new RangeError("no")));
      const gone = group.go((ctx) => sleep(1e6, ctx));
      await sleep(1);
      gone.cancel();
      await ended(group.wait());
    }, 1);
    const ends = new Map(fields(events, "task.end").map(({ task, how, err }) => [task, [how, err]]));
    expect([1, 2, 3].map((id) => ends.get(id))).toEqual([
      ["ok", undefined],
      ["error", "RangeError: no"],
      ["cancelled", "CanceledError: context canceled"],
    ]);
  });

  test("says how the run ended", async () => {
    const howOf = async (program: () => unknown): Promise<unknown> => {
      const events: RunEvent[] = [];
      await ended(simulate(program, { onEvent: (event) => events.push(event) }));
      return fields(events, "run.end").map(({ how }) => how);
    };
    expect(await howOf(() => 1)).toEqual(["ok"]);
    expect(await howOf(() => Promise.reject(new Error("no")))).toEqual(["error"]);
    expect(await howOf(() => select({}))).toEqual(["deadlock"]);
    expect(
      await howOf(() => {
        const { ctx, cancel } = withCancel(background);
        cancel();
        return sleep(1, ctx);
      }),
    ).toEqual(["cancelled"]);
  });
});

describe("a simulation: the async context", () => {
  test("of a task and of what it waits for is that of whoever started it, on 50 seeds", async () => {
    const storage = new AsyncLocalStorage<string>();
    await overSeeds(50, async (seed) => {
      const seen: string[] = [];
      await storage.run("main", () =>
        simulate(
          async () => {
            const channel = new Channel<number>();
            const note = (name: string): void => void seen.push(`${name}=${storage.getStore()}`);
            await TaskGroup.run((group) => {
              for (const name of ["a", "b"]) {
                storage.run(name, () =>
                  group.go(async () => {
                    note(name);
                    if (name === "a") await channel.send(1, group.ctx);
                    else await channel.receive(group.ctx);
                    note(name);
                    await sleep(1);
                    note(name);
                  }),
                );
              }
            });
            note("main");
          },
          { seed },
        ),
      );
      expect(seen.toSorted()).toEqual(["a=a", "a=a", "a=a", "b=b", "b=b", "b=b", "main=main"]);
    });
  });
});

describe("log and random", () => {
  test("do nothing, or take the system's chance, outside of a simulation", () => {
    log("nobody hears this");
    const draws = new Set(Array.from({ length: 10 }, () => random()));
    expect(draws.size).toBe(10);
  });

  test("of the program do not shift the order of its tasks", async () => {
    const order = async (draws: number): Promise<string> => {
      const { value } = await simulate(
        async () => {
          for (let n = 0; n < draws; n++) random();
          const seen: number[] = [];
          await TaskGroup.run((group) => {
            for (let n = 0; n < 6; n++) group.go(() => void seen.push(n));
          });
          return seen.join();
        },
        { seed: 11 },
      );
      return value;
    };
    expect(await order(0)).toBe(await order(100));
  });
});
