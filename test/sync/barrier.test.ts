import { AsyncLocalStorage } from "node:async_hooks";
import { Barrier } from "concurrency-model-patterns/barrier";
import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";
import { uncaughtIn } from "../support/uncaught.ts";

describe("Barrier", () => {
  inBothRuntimes(
    "lets nobody go on before the last has arrived, round after round",
    async () => {
      const barrier = new Barrier(4);
      const arrived = [0, 0, 0];
      await TaskGroup.run((group) => {
        for (let n = 0; n < 4; n++) {
          group.go(async () => {
            for (let round = 0; round < arrived.length; round++) {
              await sleep((n * 7 + round * 3) % 5);
              arrived[round] = (arrived[round] ?? 0) + 1;
              await barrier.wait(group.ctx);
              expect(arrived[round]).toBe(4);
            }
          });
        }
      });
      expect([arrived, barrier.waiting]).toEqual([[4, 4, 4], 0]);
    },
    50,
  );

  inBothRuntimes(
    "tells each its place in the order of arrival",
    async () => {
      const barrier = new Barrier(3);
      for (let round = 0; round < 2; round++) {
        const places: Promise<number>[] = [];
        for (let n = 0; n < 3; n++) {
          expect(barrier.waiting).toBe(n);
          places.push(barrier.wait());
          await settle();
        }
        expect(await Promise.all(places)).toEqual([0, 1, 2]);
      }
    },
    10,
  );

  inBothRuntimes(
    "of one party never waits",
    async () => {
      const barrier = new Barrier(1);
      expect([await barrier.wait(), await barrier.wait()]).toEqual([0, 0]);
    },
    5,
  );

  inBothRuntimes(
    "begins the next round with who comes early, and more than twice the parties make rounds of their own",
    async () => {
      const barrier = new Barrier(2);
      const waits = Array.from({ length: 5 }, () => barrier.wait());
      await settle();
      expect(barrier.waiting).toBe(1);
      const last = barrier.wait();
      expect(await Promise.all([...waits, last])).toEqual([0, 1, 0, 1, 0, 1]);
    },
    20,
  );

  test("lets 20,000 go", async () => {
    const barrier = new Barrier(20_000);
    const places = await Promise.all(Array.from({ length: 20_000 }, () => barrier.wait()));
    expect([places[0], places[19_999], barrier.waiting]).toEqual([0, 19_999, 0]);
  });
});

describe("Barrier: action", () => {
  inBothRuntimes(
    "runs once a round, when all are there and before any goes on",
    async () => {
      const trail: string[] = [];
      const barrier = new Barrier(3, {
        action: async () => {
          trail.push("begin");
          await sleep(2);
          trail.push("end");
        },
      });
      await TaskGroup.run((group) => {
        for (let n = 0; n < 3; n++) {
          group.go(async () => {
            for (let round = 0; round < 2; round++) {
              trail.push("here");
              await barrier.wait(group.ctx);
              trail.push("on");
            }
          });
        }
      });
      expect(trail.slice(0, 5)).toEqual(["here", "here", "here", "begin", "end"]);
      expect(trail.filter((word) => word === "begin")).toHaveLength(2);
      expect(trail.slice(0, trail.lastIndexOf("begin")).filter((word) => word === "here")).toHaveLength(6);
      expect(trail.slice(-3)).toEqual(["on", "on", "on"]);
    },
    50,
  );

  inBothRuntimes(
    "of one round ends before that of the next begins, though its parties are there already",
    async () => {
      let acting = 0;
      let rounds = 0;
      const barrier = new Barrier(2, {
        action: async () => {
          expect(++acting).toBe(1);
          rounds++;
          await sleep(3);
          acting--;
        },
      });
      const waits = Array.from({ length: 6 }, () => barrier.wait());
      await settle();
      expect([barrier.waiting, rounds]).toEqual([4, 1]);
      expect(await Promise.all(waits)).toEqual([0, 1, 0, 1, 0, 1]);
      expect(rounds).toBe(3);
    },
    20,
  );

  inBothRuntimes(
    "that throws fails its whole round with one error, and nothing is broken",
    async () => {
      const no = new Error("no");
      let fails = true;
      const barrier = new Barrier(2, {
        action: () => {
          if (fails) throw no;
        },
      });
      const first = await Promise.all([ended(barrier.wait()), ended(barrier.wait())]);
      expect(first).toEqual([{ error: no }, { error: no }]);
      fails = false;
      expect(await Promise.all([barrier.wait(), barrier.wait()])).toEqual([0, 1]);
    },
    20,
  );

  test("that fails after all have been cancelled is reported to the host", async () => {
    const uncaught = await uncaughtIn(async () => {
      const gate = new Channel<void>();
      const barrier = new Barrier(2, {
        action: async () => {
          await gate.receive();
          throw new Error("unheard");
        },
      });
      const { ctx, cancel } = withCancel(background);
      const waits = [ended(barrier.wait(ctx)), ended(barrier.wait(ctx))];
      await settle();
      cancel();
      await Promise.all(waits);
      await gate.send();
      await settle();
    });
    expect(uncaught).toEqual([new Error("unheard")]);
  });

  inBothRuntimes(
    "runs in the async context of whoever made the barrier",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const action = (): void => void seen.push(storage.getStore());
      const barrier = storage.run("maker", () => new Barrier(1, { action }));
      await storage.run("party", () => barrier.wait());
      await storage.run("party", () => barrier.wait());
      expect(seen).toEqual(["maker", "maker"]);
    },
    5,
  );
});

describe("Barrier: cancellation", () => {
  inBothRuntimes(
    "of one breaks nothing: the others wait for another to come",
    async () => {
      const barrier = new Barrier(3);
      const { ctx, cancel } = withCancel(background);
      const first = ended(barrier.wait(ctx));
      await settle();
      const second = barrier.wait();
      await settle();
      cancel();
      expect(await first).toMatchObject({ error: { code: "CANCELED" } });
      expect(barrier.waiting).toBe(1);
      const third = barrier.wait();
      await settle();
      expect(barrier.waiting).toBe(2);
      const fourth = barrier.wait();
      expect(await Promise.all([second, third, fourth])).toEqual([0, 1, 2]);
    },
    20,
  );

  inBothRuntimes(
    "during the action concerns that one alone; the round is complete without it",
    async () => {
      const gate = new Channel<void>();
      const barrier = new Barrier(2, { action: async () => void (await gate.receive()) });
      const { ctx, cancel } = withCancel(background);
      const first = ended(barrier.wait(ctx));
      await settle();
      const second = barrier.wait();
      await settle();
      cancel();
      expect(await first).toMatchObject({ error: { code: "CANCELED" } });
      await gate.send();
      expect([await second, barrier.waiting]).toEqual([1, 0]);
    },
    20,
  );

  test("never counts one that is being cancelled, though it has not been told yet", async () => {
    const barrier = new Barrier(2);
    const controller = new AbortController();
    let other: Promise<number> | undefined;
    // Told first, it arrives while the waiter has not been told yet.
    controller.signal.addEventListener("abort", () => {
      other = barrier.wait();
    });
    const meant = ended(barrier.wait(controller));
    controller.abort(new Error("gone"));
    expect(await meant).toEqual({ error: new Error("gone") });
    expect(barrier.waiting).toBe(1);
    expect(await Promise.all([other, barrier.wait()])).toEqual([0, 1]);
  });

  inBothRuntimes(
    "of a task group frees all, if one party fails and will never come",
    async () => {
      const barrier = new Barrier(3);
      const no = new Error("no");
      const run = TaskGroup.run((group) => {
        for (let n = 0; n < 2; n++) group.go(() => barrier.wait(group.ctx));
        group.go(async () => {
          await settle();
          throw no;
        });
      });
      expect(await failureOf(run)).toBe(no);
      expect(barrier.waiting).toBe(0);
    },
    30,
  );

  inBothRuntimes("in a race with the last arrival: each settles once, and nobody hangs", async () => {
    const barrier = new Barrier(2);
    const { ctx, cancel } = withCancel(background);
    await TaskGroup.run(async (group) => {
      const first = group.go(() => ended(barrier.wait(ctx)));
      group.go(() => cancel());
      const second = group.go(() => barrier.wait());
      const end = await first.join();
      if ("error" in end) {
        await barrier.wait();
      }
      await second.join();
    });
    expect(barrier.waiting).toBe(0);
  });
});

describe("Barrier: mistakes", () => {
  test("a party too few is named in the report", async () => {
    const error = await failureOf(
      simulate(async () => {
        await new Barrier(2, { name: "the line" }).wait();
      }),
    );
    expect(error).toMatchObject({ code: "DEADLOCK" });
    expect((error as Error).message).toContain("barrier on the line");
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%s parties are refused", (parties) => {
    const error = thrownBy(() => new Barrier(parties));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      message: `parties must be a whole number of at least 1, got ${parties}`,
    });
  });

  test("what is no number or no function is refused", () => {
    expect(thrownBy(() => new Barrier("2" as never))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => new Barrier(2, { action: 3 as never }))).toMatchObject({
      message: "action must be a function, got 3",
    });
  });
});
