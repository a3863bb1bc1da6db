import { AsyncLocalStorage } from "node:async_hooks";
import { Channel } from "concurrency-model-patterns/channel";
import { type Context, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { CanceledError, ClosedError, MisuseError } from "concurrency-model-patterns/errors";
import { EventLoop, type LoopFailure } from "concurrency-model-patterns/event-loop";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { random, simulate } from "concurrency-model-patterns/testing";
import { now, sleep, Ticker } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

type Numbers = { n: number };
type Letters = { a: number; b: number; c: number };

function* upTo(count: number): Generator<number> {
  for (let n = 1; n <= count; n++) yield n;
}

const range = (count: number): number[] => [...upTo(count)];

/** A loop that collects what it handles, each event taking as long as `takes` says. */
function collecting(takes: () => Promise<void> = async () => {}, capacity = 1024) {
  const seen: number[] = [];
  const loop = new EventLoop<Numbers>({ capacity });
  loop.on("n", async (n) => {
    await takes();
    seen.push(n);
  });
  return { loop, seen };
}

/** A source that says when it began and when its `finally` block has run, which takes a while. */
function watched(trail: string[], name: string, everyMs = 1) {
  return async function* (ctx: Context): AsyncGenerator<number> {
    trail.push(`${name} begins`);
    try {
      for (let n = 1; ; n++) {
        await sleep(everyMs, ctx);
        yield n;
      }
    } finally {
      await sleep(2);
      trail.push(`${name} ends`);
    }
  };
}

describe("the serial guarantee", () => {
  inBothRuntimes(
    "handlers never overlap, and every event is handled once, in the order of its source",
    async () => {
      const loop = new EventLoop<Letters>({ capacity: 3 });
      const seen: Record<keyof Letters, number[]> = { a: [], b: [], c: [] };
      let active = 0;
      for (const kind of ["a", "b", "c"] as const) {
        loop.on(kind, async (n) => {
          active++;
          expect(active).toBe(1);
          if (n % 3 !== 0) await sleep(n % 3 === 1 ? 0 : 1);
          seen[kind].push(n);
          active--;
        });
      }
      loop.source("a", upTo(8));
      loop.source("b", async function* (ctx) {
        for (const n of range(8)) {
          await sleep(1, ctx);
          yield n;
        }
      });
      await TaskGroup.run(async (group) => {
        group.go(() => loop.run({ until: "idle" }));
        for (const n of range(8)) await loop.post("c", n);
      });
      expect(seen).toEqual({ a: range(8), b: range(8), c: range(8) });
      expect(loop.unhandled).toEqual([]);
    },
  );

  inBothRuntimes(
    "several handlers of a kind are called one after the other, in the order of registration",
    async () => {
      const loop = new EventLoop<Numbers>();
      const trail: string[] = [];
      loop.on("n", async (n) => {
        await sleep(1);
        trail.push(`first ${n}`);
      });
      loop.on("n", (n) => void trail.push(`second ${n}`));
      await loop.post("n", 1);
      await loop.post("n", 2);
      await loop.drain();
      expect(trail).toEqual(["first 1", "second 1", "first 2", "second 2"]);
    },
  );
});

describe("fairness", () => {
  test("sources that always have an event get the same share (uniform within six nines)", async () => {
    const rounds = 3000;
    await overSeeds(5, async (seed) => {
      await simulate(
        async () => {
          const loop = new EventLoop<Letters>();
          const channels = { a: filled(rounds), b: filled(rounds), c: filled(rounds) };
          const counts = { a: 0, b: 0, c: 0 };
          for (const kind of ["a", "b", "c"] as const) {
            loop.source(kind, channels[kind]);
            loop.on(kind, () => {
              counts[kind]++;
              if (counts.a + counts.b + counts.c === rounds) loop.stop();
            });
          }
          await loop.run();
          const tolerance = 4.891676 * Math.sqrt((1 / 3) * (2 / 3) * rounds);
          for (const count of Object.values(counts)) {
            expect(Math.abs(count - rounds / 3)).toBeLessThan(tolerance);
          }
        },
        { seed },
      );
    });
  });

  inBothRuntimes(
    "a source and a poster that flood starve neither each other nor a source with few events",
    async () => {
      const loop = new EventLoop<Letters>({ capacity: 50 });
      const order: (keyof Letters)[] = [];
      for (const kind of ["a", "b", "c"] as const) loop.on(kind, () => void order.push(kind));
      loop.source("a", upTo(Number.POSITIVE_INFINITY));
      loop.source("c", [1, 2, 3]);
      await TaskGroup.run(async (group) => {
        group.go(() => loop.run());
        for (let n = 0; n < 200; n++) await loop.post("b", n);
        loop.stop();
      });
      expect(order.filter((kind) => kind === "c")).toHaveLength(3);
      expect(order.lastIndexOf("c")).toBeLessThan(100);
      expect(order.filter((kind) => kind === "a").length).toBeGreaterThan(30);
      expect(order.filter((kind) => kind === "b").length).toBeGreaterThan(100);
    },
    50,
  );

  test("an event of a slow source waits behind few of a source that floods, not behind a full mailbox", async () => {
    await overSeeds(4, async (seed) => {
      await simulate(
        async () => {
          const loop = new EventLoop<{ flood: number; tick: number }>();
          const lateMs: number[] = [];
          loop.on("flood", () => sleep(1));
          loop.on("tick", (dueMs) => {
            lateMs.push(now() - dueMs);
            if (lateMs.length === 100) loop.stop();
          });
          const ticker = new Ticker(100);
          loop.source("flood", upTo(Number.POSITIVE_INFINITY));
          loop.source("tick", ticker);
          await loop.run();
          ticker.stop();
          expect(lateMs.reduce((a, b) => a + b) / 100).toBeLessThan(4);
          expect(Math.max(...lateMs)).toBeLessThan(30);
        },
        { seed },
      );
    });
  });

  test("the host has its turn while a source floods and handlers are synchronous", async () => {
    const { loop, seen } = collecting();
    loop.source("n", upTo(Number.POSITIVE_INFINITY));
    const running = loop.run();
    // Without a turn of the host this would never come back. How many events go by meanwhile is the machine's affair.
    await sleep(10);
    loop.stop();
    await running;
    expect(seen.length).toBeGreaterThan(0);
  });
});

describe("backpressure", () => {
  inBothRuntimes("a source is never more than one event ahead", async () => {
    let asked = 0;
    let handled = 0;
    let most = 0;
    function* counted(): Generator<number> {
      for (let n = 0; n < 20; n++) {
        asked++;
        most = Math.max(most, asked - handled);
        yield n;
      }
    }
    const loop = new EventLoop<Numbers>();
    loop.on("n", async () => {
      await sleep(1);
      handled++;
    });
    loop.source("n", counted());
    await loop.run({ until: "idle" });
    expect(handled).toBe(20);
    expect(most).toBe(2);
  });

  inBothRuntimes("the mailbox holds at most its capacity; a post beyond that waits", async () => {
    const { loop, seen } = collecting(() => sleep(1), 3);
    await TaskGroup.run(async (group) => {
      for (const n of range(8)) group.go(() => loop.post("n", n));
      await settle();
      expect([loop.size, loop.waiting, loop.capacity]).toEqual([3, 5, 3]);
      expect(loop.tryPost("n", 9)).toBe(false);
      group.go(() => loop.run({ until: "idle" }));
    });
    expect(seen.toSorted((a, b) => a - b)).toEqual(range(8));
    expect([loop.size, loop.waiting]).toEqual([0, 0]);
  });

  inBothRuntimes("what a channel or a ticker holds stays in it until it is handled", async () => {
    const { loop, seen } = collecting(() => sleep(1));
    const channel = filled(5);
    loop.source("n", channel);
    loop.on("n", (n) => {
      if (n === 2) loop.stop();
    });
    await loop.run();
    expect(seen).toEqual([1, 2]);
    expect(channel.size).toBe(3);
    expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
    expect(loop.unhandled).toEqual([]);
  });
});

describe("post", () => {
  inBothRuntimes("accepts at once while there is room, also before the run", async () => {
    const { loop, seen } = collecting();
    await loop.post("n", 1);
    expect(loop.tryPost("n", 2)).toBe(true);
    expect(loop.size).toBe(2);
    await loop.drain();
    expect(seen).toEqual([1, 2]);
  });

  inBothRuntimes(
    "an aborted signal rejects, whether there is room or not, and nothing is accepted",
    async () => {
      const { loop, seen } = collecting(undefined, 1);
      const reason = new Error("no");
      const signal = AbortSignal.abort(reason);
      expect(await failureOf(loop.post("n", 1, { signal }))).toBe(reason);
      await loop.post("n", 2);
      expect(await failureOf(loop.post("n", 3, { signal }))).toBe(reason);
      await loop.drain();
      expect(seen).toEqual([2]);
      expect(await failureOf(loop.post("n", 4, { signal }))).toBe(reason);
    },
  );

  inBothRuntimes(
    "an abort while it waits takes it out at once; one after it was accepted changes nothing",
    async () => {
      const { loop, seen } = collecting(undefined, 1);
      const { ctx, cancel } = withCancel({});
      await loop.post("n", 1, ctx);
      await TaskGroup.run(async (group) => {
        const waiting = group.go(() => ended(loop.post("n", 2, ctx)));
        await settle();
        expect(loop.waiting).toBe(1);
        const reason = new Error("no");
        cancel(reason);
        expect(loop.waiting).toBe(0);
        expect(await waiting.join()).toEqual({ error: reason });
      });
      await loop.drain();
      expect(seen).toEqual([1]);
    },
  );

  for (const how of ["stop", "close"] as const) {
    inBothRuntimes(`posts that wait fail with ClosedError on ${how}, and later ones too`, async () => {
      const { loop } = collecting(undefined, 1);
      await loop.post("n", 1);
      await TaskGroup.run(async (group) => {
        const waiting = group.go(() => ended(loop.post("n", 2)));
        await settle();
        loop[how]();
        expect(loop.waiting).toBe(0);
        expect(await waiting.join()).toEqual({ error: expect.any(ClosedError) });
      });
      expect(loop.closed).toBe(true);
      expect(await failureOf(loop.post("n", 3))).toBeInstanceOf(ClosedError);
      expect(thrownBy(() => loop.tryPost("n", 3))).toBeInstanceOf(ClosedError);
      expect(thrownBy(() => loop.source("n", [4]))).toBeInstanceOf(ClosedError);
      await loop.drain();
      expect(loop.unhandled).toEqual(how === "stop" ? [{ kind: "n", value: 1 }] : []);
    });
  }
});

describe("stop", () => {
  inBothRuntimes("lets the event under way end, gives the rest up, and waits for the sources", async () => {
    const trail: string[] = [];
    const loop = new EventLoop<Letters>();
    loop.on("a", async (n, ctx) => {
      trail.push(`a ${n} begins`);
      loop.stop();
      await sleep(3);
      trail.push(`a ${n} ends, ${ctx.error === undefined ? "not told to give up" : "told to give up"}`);
    });
    loop.on("b", () => {
      throw new Error("it has no source that gets that far");
    });
    await loop.post("a", 1);
    await loop.post("a", 2);
    loop.source("b", watched(trail, "b", 1000));
    await loop.run();
    expect(trail.filter((line) => line.startsWith("a"))).toEqual([
      "a 1 begins",
      "a 1 ends, not told to give up",
    ]);
    expect(trail.includes("b ends")).toBe(trail.includes("b begins"));
    expect(loop.unhandled).toEqual([{ kind: "a", value: 2 }]);
    expect(loop.errors).toEqual([]);
  });

  inBothRuntimes("ends a loop that waits, from another task", async () => {
    const { loop } = collecting();
    await TaskGroup.run(async (group) => {
      const running = group.go(() => loop.run());
      await settle();
      loop.stop();
      loop.stop();
      await running.join();
    });
  });

  inBothRuntimes("before the run, the run ends at once", async () => {
    const trail: string[] = [];
    const { loop, seen } = collecting();
    loop.source("n", watched(trail, "n"));
    await loop.post("n", 1);
    loop.stop();
    await loop.run();
    expect(seen).toEqual([]);
    expect(loop.unhandled).toEqual([{ kind: "n", value: 1 }]);
    expect(trail).toEqual([]);
  });

  test("at any moment, every event accepted is handled or reported, exactly once (100 seeds)", async () => {
    await overSeeds(100, async (seed) => {
      await simulate(
        async () => {
          const given: string[] = [];
          const seen: string[] = [];
          const loop = new EventLoop<{ posted: string; pulled: string; sent: string }>({ capacity: 2 });
          for (const kind of ["posted", "pulled", "sent"] as const) {
            loop.on(kind, async (event) => {
              if (random() < 0.5) await sleep(random() * 3);
              seen.push(event);
            });
          }
          const channel = new Channel<string>(2);
          loop.source("sent", channel);
          loop.source("pulled", async function* (ctx) {
            for (let n = 0; n < 10; n++) {
              if (random() < 0.5) await sleep(random() * 3, ctx);
              given.push(`pulled ${n}`);
              yield `pulled ${n}`;
            }
          });
          await TaskGroup.run(async (group) => {
            const running = group.go(() => loop.run());
            const offer = async (n: number, send: (event: string) => Promise<void>, name: string) => {
              const event = `${name} ${n}`;
              const end = await ended(send(event));
              if (!("error" in end)) given.push(event);
            };
            group.go(async (ctx) => {
              for (let n = 0; n < 10; n++)
                await offer(n, (event) => loop.post("posted", event, ctx), "posted");
            });
            const { ctx, cancel } = withCancel(group.ctx);
            const sender = group.go(async () => {
              for (let n = 0; n < 10; n++) await offer(n, (event) => channel.send(event, ctx), "sent");
            });
            await sleep(random() * 12);
            loop.stop();
            await running.join();
            cancel();
            await sender.join();
          });
          const left = loop.unhandled.map(({ value }) => value);
          for (let next = channel.tryReceive(); next !== undefined; next = channel.tryReceive()) {
            left.push(next.value ?? "");
          }
          expect([...seen, ...left].toSorted()).toEqual(given.toSorted());
        },
        { seed },
      );
    });
  });
});

describe("close and drain", () => {
  inBothRuntimes("handle what was posted and what sources have given, and end the sources", async () => {
    const trail: string[] = [];
    const { loop, seen } = collecting(() => sleep(1));
    loop.source("n", async function* (ctx) {
      try {
        yield 100;
        yield 101;
        await sleep(Number.POSITIVE_INFINITY, ctx);
      } finally {
        trail.push("source ends");
      }
    });
    for (const n of range(5)) await loop.post("n", n);
    await TaskGroup.run(async (group) => {
      const running = group.go(() => loop.run());
      await sleep(20);
      await loop.drain();
      expect(running.outcome?.ok ?? true).toBe(true);
    });
    expect(seen.toSorted((a, b) => a - b)).toEqual([...range(5), 100, 101]);
    expect(trail).toEqual(["source ends"]);
    expect(loop.unhandled).toEqual([]);
  });

  test("at any moment, what a source has given is handled (100 seeds)", async () => {
    await overSeeds(100, async (seed) => {
      await simulate(
        async () => {
          const { loop, seen } = collecting(() => sleep(random() < 0.5 ? 0 : random()));
          const given: number[] = [];
          loop.source("n", async function* (ctx) {
            for (const n of range(20)) {
              if (random() < 0.5) await sleep(random(), ctx);
              given.push(n);
              yield n;
            }
          });
          await TaskGroup.run(async (group) => {
            group.go(() => loop.run());
            await sleep(random() * 10);
            await loop.drain();
          });
          expect(seen).toEqual(given);
          expect(loop.unhandled).toEqual([]);
        },
        { seed },
      );
    });
  });

  inBothRuntimes("drain runs a loop that nobody runs; a second drain waits for the same end", async () => {
    const { loop, seen } = collecting(() => sleep(1));
    await loop.post("n", 1);
    await TaskGroup.run((group) => {
      group.go(() => loop.drain());
      group.go(() => loop.drain());
    });
    expect(seen).toEqual([1]);
    await loop.drain();
  });

  inBothRuntimes("a drain that is cancelled leaves a loop that another runs to its end", async () => {
    const release = new Channel<void>();
    const { loop, seen } = collecting(async () => void (await release.receive()));
    await loop.post("n", 1);
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      await settle();
      const { ctx, cancel } = withTimeout(group.ctx, 1, { cause: "late" });
      expect(await failureOf(loop.drain(ctx))).toBe("late");
      cancel();
      expect(seen).toEqual([]);
      await release.send();
    });
    expect(seen).toEqual([1]);
  });

  inBothRuntimes("leaving an `await using` block drains; a failure is told by the run alone", async () => {
    const failure = new Error("handler");
    const loop = new EventLoop<Numbers>();
    loop.on("n", () => {
      throw failure;
    });
    await loop.post("n", 1);
    expect(await failureOf(loop.run())).toBe(failure);
    await loop[Symbol.asyncDispose]();
    const { loop: idle, seen } = collecting();
    await idle.post("n", 1);
    await idle[Symbol.asyncDispose]();
    expect(seen).toEqual([1]);
  });

  inBothRuntimes("a source that is taken back ends; what it has given is still handled", async () => {
    const trail: string[] = [];
    const { loop, seen } = collecting();
    const channel = filled(0);
    const sources = [loop.source("n", watched(trail, "n", 2)), loop.source("n", channel)];
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run({ until: "idle" }));
      await sleep(20);
      for (const source of sources) source.unsubscribe();
      for (const source of sources) source[Symbol.dispose]();
    });
    expect(trail).toEqual(["n begins", "n ends"]);
    expect(seen.length).toBeGreaterThan(0);
    expect(channel.waiting.receivers).toBe(0);
  });
});

describe("cancelling the run", () => {
  inBothRuntimes(
    "rejects with the reason, once the handler under way and the sources have ended",
    async () => {
      const trail: string[] = [];
      const reason = new Error("give up");
      const loop = new EventLoop<Letters>();
      loop.on("a", async (_, ctx) => {
        const end = await ended(sleep(Number.POSITIVE_INFINITY, ctx));
        expect(end).toEqual({ error: reason });
        await sleep(2);
        trail.push("handler ends");
      });
      loop.source("b", watched(trail, "b", 1000));
      await loop.post("a", 1);
      await loop.post("a", 2);
      const controller = new AbortController();
      await TaskGroup.run(async (group) => {
        const running = group.go(() => ended(loop.run({ signal: controller.signal })));
        await settle();
        controller.abort(reason);
        expect(await running.join()).toEqual({ error: reason });
      });
      expect(trail.toSorted()).toEqual(["b begins", "b ends", "handler ends"]);
      expect(loop.unhandled).toEqual([{ kind: "a", value: 2 }]);
      expect(loop.errors).toEqual([]);
      expect(listenersOf(controller.signal)).toBe(0);
      expect(await failureOf(loop.drain())).toBe(reason);
    },
  );

  inBothRuntimes("a handler that throws the reason has not failed", async () => {
    const loop = new EventLoop<Numbers>({ onError: () => expect.unreachable() });
    loop.on("n", (_, ctx) => sleep(Number.POSITIVE_INFINITY, ctx));
    await loop.post("n", 1);
    const { ctx, cancel } = withTimeout({}, 2, { cause: "late" });
    expect(await failureOf(loop.run(ctx))).toBe("late");
    cancel();
  });

  inBothRuntimes("with a signal that has aborted before, ends without handling anything", async () => {
    const trail: string[] = [];
    const { loop, seen } = collecting();
    loop.source("n", watched(trail, "n"));
    await loop.post("n", 1);
    expect(await failureOf(loop.run({ signal: AbortSignal.abort("no") }))).toBe("no");
    await loop[Symbol.asyncDispose]();
    expect(seen).toEqual([]);
    expect(trail).toEqual([]);
    expect(loop.closed).toBe(true);
  });

  test("at any moment, leaves nothing behind (100 seeds)", async () => {
    await overSeeds(100, async (seed) => {
      const trail: string[] = [];
      await simulate(
        async () => {
          const { loop } = collecting(() => sleep(random()), 1);
          loop.source("n", watched(trail, "n", 0.5));
          loop.source(
            "n",
            pipeline(watched(trail, "piped", 0.3)).map((n) => n),
          );
          const reason = new Error("late");
          const { ctx, cancel } = withTimeout({}, random() * 5, { cause: reason });
          await TaskGroup.run(async (group) => {
            group.go(async () => expect(await failureOf(loop.run(ctx))).toBe(reason));
            const end = await ended(
              (async () => {
                for (let n = 0; ; n++) await loop.post("n", n);
              })(),
            );
            expect(end).toEqual({ error: expect.any(ClosedError) });
          });
          cancel();
          expect([loop.size, loop.waiting]).toEqual([0, 0]);
        },
        { seed },
      );
      for (const name of ["n", "piped"]) {
        expect(trail.includes(`${name} ends`)).toBe(trail.includes(`${name} begins`));
      }
    });
  });
});

describe("failures", () => {
  inBothRuntimes("a handler that fails stops the loop, and run rejects with its error", async () => {
    const trail: string[] = [];
    const failure = new Error("handler");
    const loop = new EventLoop<Letters>();
    loop.on("a", async () => {
      await sleep(5);
      throw failure;
    });
    loop.on("a", () => void trail.push("a second handler of the event that failed"));
    loop.on("b", () => {});
    loop.source("b", watched(trail, "b"));
    await loop.post("a", 1);
    await loop.post("a", 2);
    expect(await failureOf(loop.run())).toBe(failure);
    expect(trail).toEqual(["b begins", "b ends"]);
    expect(loop.errors).toEqual([failure]);
    expect(loop.unhandled.filter(({ kind }) => kind === "a")).toEqual([{ kind: "a", value: 2 }]);
    expect(await failureOf(loop.drain())).toBe(failure);
  });

  inBothRuntimes(
    "onError deals with a failure: the loop goes on, with the next handler, the next event, and after a source",
    async () => {
      const failures: [unknown, LoopFailure<Letters>][] = [];
      const loop = new EventLoop<Letters>({
        onError: async (error, failure) => {
          await sleep(1);
          failures.push([error, failure]);
        },
      });
      const seen: number[] = [];
      loop.on("a", (n) => {
        if (n === 1) throw new Error("handler");
      });
      loop.on("a", (n) => void seen.push(n));
      loop.on("b", (n) => void seen.push(n));
      loop.source("b", function* () {
        yield 10;
        throw new Error("source");
      });
      await loop.post("a", 1);
      await loop.post("a", 2);
      await loop.run({ until: "idle" });
      expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 10]);
      expect(failures).toContainEqual([
        new Error("handler"),
        { from: "handler", event: { kind: "a", value: 1 } },
      ]);
      expect(failures).toContainEqual([new Error("source"), { from: "source", kind: "b" }]);
      expect(failures).toHaveLength(2);
      expect(loop.errors).toEqual([]);
    },
  );

  inBothRuntimes(
    "what onError throws ends the loop; an error in the place of another hides nothing",
    async () => {
      const first = new Error("handler");
      const second = new Error("policy");
      for (const thrown of [first, second]) {
        const loop = new EventLoop<Numbers>({
          onError: () => {
            throw thrown;
          },
        });
        loop.on("n", () => {
          throw first;
        });
        await loop.post("n", 1);
        expect(await failureOf(loop.run())).toBe(thrown);
        expect(loop.errors).toEqual(thrown === first ? [first] : [second, first]);
      }
    },
  );

  inBothRuntimes("a source that fails stops the loop, after the events it gave before", async () => {
    const { loop, seen } = collecting(() => sleep(1));
    const failure = new Error("source");
    loop.source("n", async function* () {
      yield 1;
      yield 2;
      throw failure;
    });
    expect(await failureOf(loop.run())).toBe(failure);
    expect(seen).toEqual([1, 2]);
  });

  inBothRuntimes(
    "a source that fails on its way out is not lost, even if the loop was only stopped",
    async () => {
      const { loop } = collecting();
      const failure = new Error("finally");
      loop.source("n", async function* (ctx) {
        try {
          yield 1;
          await sleep(Number.POSITIVE_INFINITY, ctx);
        } finally {
          await sleep(1);
          // oxlint-disable-next-line no-unsafe-finally -- That is the failure that is tested.
          throw failure;
        }
      });
      loop.on("n", () => loop.stop());
      expect(await failureOf(loop.run())).toBe(failure);
      expect(loop.errors).toEqual([failure]);
    },
  );

  inBothRuntimes("an event that nobody handles is a failure", async () => {
    const loop = new EventLoop<Letters>();
    loop.on("a", () => {}).unsubscribe();
    await loop.post("a", 1);
    const failure = await failureOf(loop.run());
    expect(failure).toBeInstanceOf(MisuseError);
    expect((failure as Error).message).toBe('no handler for "a" events');
  });

  inBothRuntimes("a handler that is cancelled by something else has failed", async () => {
    const loop = new EventLoop<Numbers>();
    const failure = new CanceledError("of its own");
    loop.on("n", () => Promise.reject(failure));
    await loop.post("n", 1);
    expect(await failureOf(loop.run())).toBe(failure);
  });

  test("wrong arguments are refused at the call, by name", () => {
    expect(thrownBy(() => new EventLoop({ capacity: 0 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => new EventLoop({ onError: "no" as never }))).toBeInstanceOf(TypeError);
    const loop = new EventLoop<Numbers>();
    expect(thrownBy(() => loop.on("n", "no" as never))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => loop.run({ until: "later" as never }))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => loop.source("n", 7 as never))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => loop.source("n", {} as never))).toBeInstanceOf(TypeError);
  });

  inBothRuntimes("a loop runs once", async () => {
    const { loop } = collecting();
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      await settle();
      expect(await failureOf(loop.run())).toBeInstanceOf(MisuseError);
      loop.close();
    });
    expect(await failureOf(loop.run())).toBeInstanceOf(MisuseError);
  });
});

describe("handlers", () => {
  inBothRuntimes(
    "one that is taken back during an event is not called again; one that is added, from the next on",
    async () => {
      const trail: string[] = [];
      const loop = new EventLoop<Numbers>();
      loop.on("n", (n) => {
        trail.push(`first ${n}`);
        if (n !== 1) return;
        second.unsubscribe();
        loop.on("n", (m) => void trail.push(`third ${m}`));
      });
      const second = loop.on("n", (n) => void trail.push(`second ${n}`));
      await loop.post("n", 1);
      await loop.post("n", 2);
      await loop.drain();
      expect(trail).toEqual(["first 1", "first 2", "third 2"]);
    },
  );

  inBothRuntimes("with `once` is called for one event, also if it posts that kind itself", async () => {
    const trail: string[] = [];
    const loop = new EventLoop<Numbers>();
    loop.on("n", (n) => void trail.push(`always ${n}`));
    loop.on(
      "n",
      (n) => {
        trail.push(`once ${n}`);
        loop.tryPost("n", n + 1);
      },
      { once: true },
    );
    await loop.post("n", 1);
    await loop.run({ until: "idle" });
    expect(trail).toEqual(["always 1", "once 1", "always 2"]);
  });

  inBothRuntimes("kinds named like members of an object are ordinary kinds", async () => {
    const loop = new EventLoop<{ constructor: number; __proto__: number; toString: number }>();
    const seen: string[] = [];
    for (const kind of ["constructor", "__proto__", "toString"] as const) {
      loop.on(kind, () => void seen.push(kind));
      await loop.post(kind, 1);
    }
    await loop.drain();
    expect(seen).toEqual(["constructor", "__proto__", "toString"]);
  });

  test("run in the async context of the poster, or of whoever added the source", async () => {
    const request = new AsyncLocalStorage<string>();
    const loop = new EventLoop<Letters>();
    const seen: string[] = [];
    for (const kind of ["a", "b", "c"] as const) {
      loop.on(kind, async (n) => {
        await sleep(0);
        seen.push(`${kind} ${n} in ${request.getStore()}`);
      });
    }
    await request.run("post 1", () => loop.post("a", 1));
    await request.run("post 2", () => loop.post("a", 2));
    request.run("source", () =>
      loop.source("b", async function* () {
        yield 1;
        seen.push(`read in ${request.getStore()}`);
        yield 2;
      }),
    );
    request.run("channel", () => loop.source("c", closedWith(1, 2)));
    await request.run("runner", () => loop.run({ until: "idle" }));
    expect(seen.filter((line) => !line.startsWith("read")).toSorted()).toEqual([
      "a 1 in post 1",
      "a 2 in post 2",
      "b 1 in source",
      "b 2 in source",
      "c 1 in channel",
      "c 2 in channel",
    ]);
    expect(seen).toContain("read in source");
  });
});

describe("sources", () => {
  inBothRuntimes("an iterator that gives up its wait when it is told to return is told at once", async () => {
    const { loop } = collecting();
    const asked = new Channel<IteratorResult<number, undefined>>(1);
    let returns = 0;
    loop.source("n", {
      [Symbol.asyncIterator]: () => ({
        next: async () => (await asked.receive()).value as IteratorResult<number, undefined>,
        return: async () => {
          returns++;
          asked.trySend({ value: undefined, done: true });
          return { value: undefined, done: true };
        },
      }),
    });
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      await settle();
      loop.stop();
    });
    expect(returns).toBe(1);
  });

  inBothRuntimes("one that ends by itself is not told to return, and the loop goes on", async () => {
    let returns = 0;
    const iterator = [1, 2][Symbol.iterator]();
    const { loop, seen } = collecting();
    loop.source("n", {
      [Symbol.iterator]: () => ({
        next: () => iterator.next(),
        return: () => {
          returns++;
          return { value: undefined, done: true as const };
        },
      }),
    });
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      await settle();
      await loop.post("n", 3);
      loop.close();
    });
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(returns).toBe(0);
  });

  inBothRuntimes("a function may give a channel or a ticker: its wait ends with the loop", async () => {
    const { loop, seen } = collecting();
    const ticker = new Ticker(2);
    loop.source("n", () => ticker);
    loop.source("n", () => filled(2));
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      await sleep(15);
      loop.stop();
    });
    ticker.stop();
    expect(seen.length).toBeGreaterThan(4);
  });

  inBothRuntimes("one that is added while the loop waits is read at once", async () => {
    const { loop, seen } = collecting();
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      await settle();
      loop.source("n", [1, 2]);
      loop.source("n", closedWith(3));
      await settle();
      await settle();
      loop.stop();
    });
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });
});

/** A channel that holds the numbers from 1, and stays open. */
function filled(count: number): Channel<number> {
  const channel = new Channel<number>(Math.max(count, 1));
  for (const n of range(count)) channel.trySend(n);
  return channel;
}

function closedWith(...values: number[]): Channel<number> {
  const channel = new Channel<number>(values.length);
  for (const value of values) channel.trySend(value);
  channel.close();
  return channel;
}
