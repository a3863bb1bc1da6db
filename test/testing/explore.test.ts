import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { Mutex } from "concurrency-model-patterns/mutex";
import { receive, select } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import {
  DeadlockError,
  explore,
  type ExploreError,
  type ExploreOptions,
  LeakError,
  log,
  random,
  simulate,
} from "concurrency-model-patterns/testing";
import { describe, expect, test } from "vitest";
import { formatSchedule, parseSchedule } from "../../src/testing/schedule.ts";
import { failureOf } from "../support/outcomes.ts";
import { fromOutside } from "../support/outside.ts";
import { check, gate, together } from "../support/programs.ts";

type Program = (ctx: Context) => unknown;

/** In how many orders tasks of so many steps each can go, if none of them waits for another. */
function orders(...steps: readonly number[]): number {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  return steps.reduce((ways, n) => ways / factorial(n), factorial(steps.reduce((a, b) => a + b)));
}

async function caught(program: Program, options?: ExploreOptions): Promise<ExploreError> {
  return (await failureOf(explore(program, options))) as ExploreError;
}

describe("explore: the number of schedules, counted by hand", () => {
  test.each<[string, Program, number]>([
    ["nothing to choose", () => 1, 1],
    ["one task of many steps", async () => void (await gate().acquire()), 1],
    [
      "two tasks of one step",
      () =>
        together(
          () => {},
          () => {},
        ),
      orders(1, 1, 1),
    ],
    [
      "three tasks of one step",
      () =>
        together(
          () => {},
          () => {},
          () => {},
        ),
      orders(1, 1, 1, 1),
    ],
    [
      "two tasks of two steps",
      () => {
        const semaphore = gate();
        return together(
          () => semaphore.acquire(),
          () => semaphore.acquire(),
        );
      },
      orders(2, 2, 1),
    ],
    [
      "two tasks of three steps",
      () => {
        const semaphore = gate();
        const twice = async (): Promise<void> => {
          await semaphore.acquire();
          await semaphore.acquire();
        };
        return together(twice, twice);
      },
      orders(3, 3, 1),
    ],
    [
      "tasks of one, two and three steps",
      () => {
        const semaphore = gate();
        const times = async (count: number): Promise<void> => {
          for (let n = 0; n < count; n++) await semaphore.acquire();
        };
        return together(
          () => times(0),
          () => times(1),
          () => times(2),
        );
      },
      orders(1, 2, 3, 1),
    ],
    [
      "calls of one task, which begin in their order",
      () => {
        const semaphore = gate();
        return Promise.all([1, 2, 3].map((weight) => semaphore.acquire(weight)));
      },
      1,
    ],
  ])("%s", async (_, program, schedules) => {
    expect(await explore(program)).toMatchObject({ schedules, complete: true });
  });

  test("with no preemption: each task runs until it waits", async () => {
    const semaphore = gate();
    const task = async (): Promise<void> => {
      for (let n = 0; n < 5; n++) await semaphore.acquire();
    };
    const program = (): Promise<void> => together(task, task, task);
    expect(await explore(program, { preemptions: 0 })).toMatchObject({ schedules: 6, complete: true });
  });

  test("grows with the preemptions up to all", async () => {
    const program = (): Promise<void> => {
      const semaphore = gate();
      return together(
        () => semaphore.acquire(),
        () => semaphore.acquire(),
      );
    };
    const counts = [];
    for (let preemptions = 0; preemptions < 6; preemptions++)
      counts.push((await explore(program, { preemptions })).schedules);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts).size).toBeGreaterThan(3);
    expect([counts[0], counts.at(-1)]).toEqual([2, orders(2, 2, 1)]);
  });

  test("each is another one, and each of these seeds of simulate is among them", async () => {
    const program = async (): Promise<string> => {
      const semaphore = gate();
      let trail = "";
      const task = (name: string) => async () => {
        for (let n = 0; n < 3; n++) {
          trail += name;
          await semaphore.acquire();
        }
      };
      await together(task("a"), task("b"));
      return trail;
    };
    const trails: string[] = [];
    await explore(async () => void trails.push(await program()));
    // The last step of each task leaves no mark, nor does that of the one who waits.
    expect(new Set(trails).size).toBe(orders(3, 3));
    for (let seed = 0; seed < 100; seed++)
      expect(trails).toContain((await simulate(program, { seed })).value);
  });
});

/** Programs with a mistake that only some schedules show. */
const broken: Record<string, [program: Program, what: RegExp]> = {
  "a check and an act with an await in between": [
    async () => {
      const semaphore = gate();
      let balance = 100;
      const withdraw = async (): Promise<void> => {
        if (balance < 100) return;
        await semaphore.acquire();
        balance -= 100;
      };
      await together(withdraw, withdraw);
      check(balance >= 0, `balance ${balance}`);
    },
    /Error: balance -100$/,
  ],
  "a lost wake-up": [
    async () => {
      const wakeUp = new Channel<true>(0, { name: "wake-up" });
      const semaphore = gate();
      let ready = false;
      await together(
        async () => {
          const seen = ready;
          await semaphore.acquire();
          if (!seen) await wakeUp.receive();
        },
        () => {
          ready = true;
          wakeUp.trySend(true);
        },
      );
    },
    /deadlock! \(at 0 ms\)\n {2}main .*\n {2}task 1 \(task 1\): recv on wake-up \(no other live task has used it\)$/,
  ],
  "two locks in two orders": [
    async () => {
      const [left, right] = [new Mutex({ name: "left" }), new Mutex({ name: "right" })];
      await together(
        () => left.withLock(() => right.withLock(() => {})),
        () => right.withLock(() => left.withLock(() => {})),
      );
    },
    /task 1 .*: acquire on right \(could be woken by task 2\)\n {2}task 2 .*: acquire on left \(could be woken by task 1\)$/,
  ],
  "a cancel that is forgotten": [
    async () => {
      const answers = new Channel<string>(0, { name: "answers" });
      const { ctx, cancel } = withCancel(background);
      const group = new TaskGroup();
      for (const server of ["a", "b"]) group.go(() => answers.send(server, ctx), { name: server });
      const { value } = await answers.receive();
      // The other is given up only if the answer is the one that was hoped for.
      if (value === "a") cancel();
    },
    /LeakError: .* 1 of its tasks have not:\n {2}a \(task 1\): send on answers \(no other live task has used it\)$/,
  ],
  "a select that counts on the order of its cases": [
    async () => {
      const [jobs, stop] = [new Channel<number>(1), new Channel<true>(1)];
      check(jobs.trySend(1) && stop.trySend(true), "no room");
      const { key } = await select({ job: receive(jobs), stop: receive(stop) });
      check(key === "job", "stopped before the job");
    },
    /stopped before the job$/,
  ],
  "a channel that two close": [
    async () => {
      const channel = new Channel<number>(0);
      const end = async (): Promise<void> => {
        const open = !channel.closed;
        await gate().acquire();
        if (open) channel.close();
      };
      await together(end, end);
    },
    /MisuseError: close of closed channel$/,
  ],
};

describe.each(Object.entries(broken))("explore: catches %s", (_, [program, what]) => {
  test("and prints a schedule that replays it", async () => {
    const error = await caught(program);
    expect([error.name, error.code]).toEqual(["ExploreError", "SCHEDULE"]);
    expect(error.message.split("\nto replay it: ")[0]).toMatch(what);
    const again = await caught(program, { schedule: error.schedule });
    expect([again.schedule, again.schedules]).toEqual([error.schedule, 1]);
    expect(again.cause).toEqual(error.cause);
    expect(await failureOf(simulate(program, { schedule: error.schedule }))).toEqual(error.cause);
  });

  test("at the same place each time", async () => {
    const first = await caught(program);
    for (let n = 0; n < 3; n++) {
      const { schedule, schedules } = await caught(program);
      expect([schedule, schedules]).toEqual([first.schedule, first.schedules]);
    }
  });

  test.each(["random", "pct"] as const)("by chance too: %s", async (mode) => {
    for (let seed = 0; seed < 20; seed++) {
      const error = await caught(program, { mode, seed, maxSchedules: 1000 });
      expect(error.message).toContain(`to replay it: { schedule: "${error.schedule}" }`);
      expect((await caught(program, { schedule: error.schedule })).cause).toEqual(error.cause);
    }
  });
});

describe("explore: its failures", () => {
  test("are what the program failed with", async () => {
    const deadlock = await caught(() => new Channel().receive());
    const leak = await caught(() => void new TaskGroup().go(() => new Channel().receive()));
    const boom = new Error("boom");
    const thrown = await caught(() => {
      throw boom;
    });
    expect(deadlock.cause).toBeInstanceOf(DeadlockError);
    expect(leak.cause).toBeInstanceOf(LeakError);
    expect(thrown.cause).toBe(boom);
    expect(thrown.message).toBe('schedule 1 fails: Error: boom\nto replay it: { schedule: "0:" }');
  });

  test("need as many preemptions as they need", async () => {
    const [program] = broken["a check and an act with an await in between"] ?? [];
    expect(await explore(program as Program, { preemptions: 0 })).toMatchObject({ complete: true });
    expect((await caught(program as Program, { preemptions: 1 })).message).toContain("balance -100");
  });

  test("far into a long task are found with priorities, and not by chance alone", async () => {
    const program = async (): Promise<void> => {
      const semaphore = gate();
      let steps = 0;
      await together(
        async () => {
          for (; steps < 60; steps++) await semaphore.acquire();
        },
        async () => {
          await semaphore.acquire();
          check(steps < 55, "too late");
        },
      );
    };
    expect(await explore(program, { mode: "random", maxSchedules: 300 })).toMatchObject({ schedules: 300 });
    const error = await caught(program, { mode: "pct", maxSchedules: 300 });
    expect((await caught(program, { schedule: error.schedule })).cause).toEqual(new Error("too late"));
  });

  test("also come from a program that polls and does not end", async () => {
    const program = (): Promise<void> => {
      const semaphore = gate();
      let ready = false;
      const poll = async (): Promise<void> => {
        for (let seen = false; !seen; seen = ready) (await semaphore.acquire())();
      };
      return together(poll, () => {
        ready = true;
      });
    };
    const error = await caught(program, { maxSteps: 50 });
    expect(error.cause).toMatchObject({ code: "LIMIT", message: "no end after 50 steps" });
  });

  test("a program that keeps something from one run to the next is told so", async () => {
    let runs = 0;
    const program = (): Promise<void> => {
      const tasks = Array.from({ length: runs++ % 2 === 0 ? 2 : 3 }, () => () => {});
      return together(...tasks);
    };
    const error = await failureOf(explore(program));
    expect(error).toMatchObject({ code: "MISUSE" });
    expect((error as Error).message).toMatch(/^the program does not repeat itself: choice \d had \d ways/);
  });

  test("a program that waits for I/O is not explored completely", async () => {
    expect(await explore(() => fromOutside("a file"))).toEqual({
      schedules: 1,
      complete: false,
      maxDepth: 0,
    });
  });
});

describe("explore: its options", () => {
  const wide: Program = () =>
    together(
      () => {},
      () => {},
      () => {},
      () => {},
    );

  test("stop it after a number of schedules, and say so", async () => {
    expect(await explore(wide, { maxSchedules: 119 })).toMatchObject({ schedules: 119, complete: false });
    expect(await explore(wide, { maxSchedules: 120 })).toMatchObject({ schedules: 120, complete: true });
    expect(await explore(wide, { maxSchedules: 7, mode: "random" })).toMatchObject({
      schedules: 7,
      complete: false,
    });
  });

  test.each(["all", "random", "pct"] as const)("give the same schedules each time: %s", async (mode) => {
    const trailsOf = async (seed: number): Promise<string[]> => {
      const trails: string[] = [];
      const program = async (): Promise<void> => {
        let trail = "";
        const [semaphore, names] = [gate(), ["a", "b", "c"]];
        const tasks = names.map((name) => async () => {
          trail += name;
          await semaphore.acquire();
          trail += name;
        });
        await together(...tasks);
        trails.push(`${trail} ${random()}`);
      };
      await explore(program, { mode, seed, maxSchedules: 100 });
      return trails;
    };
    const first = await trailsOf(1);
    expect(await trailsOf(1)).toEqual(first);
    expect(await trailsOf(2)).not.toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(mode === "all" ? 30 : 20);
  });

  test("cancel it between two schedules", async () => {
    const controller = new AbortController();
    let runs = 0;
    const program = async (): Promise<void> => {
      await together(
        () => {},
        () => {},
      );
      if (++runs === 3) controller.abort(new Error("enough"));
    };
    const error = await failureOf(explore(program, { signal: controller.signal }));
    expect([error, runs]).toEqual([new Error("enough"), 3]);
  });

  test.each<[ExploreOptions, string]>([
    [{ mode: "best" as never }, 'mode must be one of "all", "random", "pct", got "best"'],
    [{ maxSchedules: 0 }, "maxSchedules must be a whole number of at least 1, or Infinity, got 0"],
    [{ preemptions: -1 }, "preemptions must be a whole number of at least 0, or Infinity, got -1"],
    [{ depth: 0 }, "depth must be a whole number of at least 1, got 0"],
    [{ maxSteps: 0 }, "maxSteps must be a whole number of at least 1, or Infinity, got 0"],
    [{ seed: -1 }, "seed must be a whole number from 0 to 4294967295, got -1"],
    [{ externalTimeoutMs: 0 }, "externalTimeoutMs must be a number above 0, got 0"],
    [{ schedule: "x" }, 'schedule must be a text that explore has printed, got "x"'],
  ])("are refused if bad: %o", async (options, message) => {
    const exploring = Promise.resolve().then(() => explore(() => 1, options));
    expect(await failureOf(exploring)).toMatchObject({ message });
  });
});

describe("a schedule", () => {
  test.each<[string, readonly number[]]>([
    ["0:", []],
    ["7:a", [1]],
    ["0:4a2b", [0, 0, 0, 0, 1, 0, 0, 2]],
    ["4294967295:abz(27)2(100)", [1, 2, 26, 27, 0, 0, 100]],
  ])("%s is short, and is read as it was written", (text, choices) => {
    const seed = Number(text.split(":")[0]);
    expect(formatSchedule({ seed, choices })).toBe(text);
    expect(parseSchedule(text)).toEqual({ seed, choices });
    expect(formatSchedule({ seed, choices: [...choices, 0, 0] })).toBe(text);
  });

  test.each([undefined, 7, "", "0", "0:1", ":a", "0:A", "0:(a)", "4294967296:", "0:a "])(
    "%o is none",
    (text) => {
      expect(() => parseSchedule(text)).toThrow(TypeError);
    },
  );

  test("replays with simulate, which shows its event log", async () => {
    const trailOf = async (schedule: string): Promise<string> => {
      const trail: string[] = [];
      const say = (name: string) => async (): Promise<void> => {
        log(name);
        await gate().acquire();
        log(name);
      };
      const { seed } = await simulate(() => together(say("a"), say("b")), {
        schedule,
        onEvent: (event) => void (event.k === "log" && trail.push(event.text)),
      });
      expect(seed).toBe(3);
      return trail.join("");
    };
    expect(await trailOf("3:")).toBe("aabb");
    expect(await trailOf("3:1a")).toBe("bbaa");
  });

  test("of another program is refused", async () => {
    const program: Program = () =>
      together(
        () => {},
        () => {},
      );
    for (const [schedule, text] of [
      ["0:z", "choice 0 has 3 ways and not 27"],
      ["0:9a", "it ended after 2 choices"],
    ] as const) {
      const message = `the schedule does not fit the program: ${text}`;
      expect(await failureOf(simulate(program, { schedule }))).toMatchObject({ code: "MISUSE", message });
      expect(await failureOf(explore(program, { schedule }))).toMatchObject({ code: "MISUSE", message });
    }
  });
});

describe("a step of a simulation", () => {
  test("ends when no microtask is left, however long they go on", async () => {
    const trails = new Set<string>();
    await explore(async () => {
      const semaphore = gate();
      const trail: string[] = [];
      const task = (name: string) => async () => {
        for (let n = 0; n < 2; n++) {
          await semaphore.acquire();
          trail.push(name);
          for (let k = 0; k < 200; k++) await Promise.resolve();
          trail.push(name);
        }
      };
      await together(task("a"), task("b"));
      trails.add(trail.join(""));
    });
    expect([...trails].filter((trail) => !/^(aa|bb){4}$/.test(trail))).toEqual([]);
    expect(trails.size).toBe(orders(2, 2));
  });

  /** What a run gives, and how many turns the host had meanwhile. */
  async function turnsDuring<T>(run: () => Promise<T>): Promise<readonly [turns: number, value: T]> {
    let turns = 0;
    let over = false;
    const turn = (): void => {
      turns++;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    try {
      const value = await run();
      return [turns, value];
    } finally {
      over = true;
    }
  }

  test("gives the host its turn now and then", async () => {
    const thousandCalls = async (): Promise<void> => {
      const semaphore = gate();
      for (let n = 0; n < 1000; n++) (await semaphore.acquire())();
    };
    const [turns, { steps }] = await turnsDuring(() => simulate(thousandCalls));
    expect(turns).toBeGreaterThan(steps / 80);
  });

  test("gives the host its turn now and then between short schedules too", async () => {
    const acquire = (): unknown => gate().acquire();
    const random = { mode: "random", maxSchedules: 1000 } as const;
    const [turns, { schedules }] = await turnsDuring(() => explore(acquire, random));
    expect(turns).toBeGreaterThan(schedules / 20);
  });

  test("includes what comes with the next tick or the next turn of the host", async () => {
    const program: Program = () => {
      const pause = async (): Promise<void> => {
        await new Promise<void>((resolve) => process.nextTick(resolve));
        await new Promise<void>((resolve) => setImmediate(resolve));
      };
      return together(pause, pause);
    };
    expect(await explore(program)).toMatchObject({ schedules: orders(1, 1, 1), complete: true });
  });
});
