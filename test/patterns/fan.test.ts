import { describe, expect, expectTypeOf, test } from "vitest";
import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { fanIn, fanOut } from "concurrency-model-patterns/fan";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";

const SEEDS = Array.from({ length: 100 }, (_, seed) => seed);

async function* count(to: number, ctx?: Context): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) {
    yield n;
    if (ctx !== undefined) await sleep(1, ctx);
  }
}

/** A channel that holds these values and is closed. */
function closedChannel<T>(...values: T[]): Channel<T> {
  const channel = new Channel<T>(values.length);
  for (const value of values) channel.trySend(value);
  channel.close();
  return channel;
}

function numbers(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "no failure",
    (error: unknown) => error,
  );
}

describe("fanOut", () => {
  test("works on each value once, in any schedule", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const seen = await fanOut(count(10), (n) => n, { workers: 3 }).toArray();
          expect(seen.toSorted((a, b) => a - b)).toEqual(numbers(10));
        },
        { seed },
      );
    }
  });

  test.each([1, 4, 100])("keeps %i workers busy and never one more", async (workers) => {
    const { elapsedMs } = await simulate(async () => {
      let active = 0;
      let most = 0;
      const names = new Set<number>();
      const work = async (n: number, { worker, ctx }: { worker: number; ctx: Context }): Promise<number> => {
        names.add(worker);
        most = Math.max(most, ++active);
        await sleep(10, ctx);
        active--;
        return n;
      };
      await fanOut(numbers(workers * 10), work, { workers }).toArray();
      expect(most).toBe(workers);
      expect([...names].toSorted((a, b) => a - b)).toEqual(numbers(workers).map((n) => n + 1));
    });
    expect(elapsedMs).toBe(100);
  });

  test("gives the next value to the first worker who is free", async () => {
    await simulate(async () => {
      const done: string[] = [];
      const work = async (ms: number, { worker }: { worker: number }): Promise<void> => {
        await sleep(ms);
        done.push(`${ms} at ${now()}`);
        expect(worker).toBeLessThanOrEqual(2);
      };
      await fanOut([100, 10, 20, 30], work, { workers: 2 }).toArray();
      expect(done).toEqual(["10 at 10", "20 at 30", "30 at 60", "100 at 100"]);
    });
  });

  test("gives results as they come, or in the order of the input", async () => {
    const work = async (ms: number): Promise<number> => {
      await sleep(ms);
      return ms;
    };
    for (const seed of SEEDS.slice(0, 20)) {
      await simulate(
        async () => {
          const input = [30, 10, 20];
          expect(await fanOut(input, work, { workers: 3 }).toArray()).toEqual([10, 20, 30]);
          expect(await fanOut(input, work, { workers: 3, ordered: true }).toArray()).toEqual(input);
        },
        { seed },
      );
    }
  });

  test("holds the source up when nobody takes the results", async () => {
    await simulate(async () => {
      let made = 0;
      const source = function* (): Generator<number> {
        for (;;) yield made++;
      };
      const results = fanOut(source(), (n) => n, { workers: 3 });
      const iterator = results[Symbol.asyncIterator]();
      await iterator.next();
      await sleep(1000);
      // One was taken, three workers hold a result, one value waits for a worker.
      expect(made).toBeLessThanOrEqual(5);
      await results[Symbol.asyncDispose]();
    });
  });

  test("does nothing before the first result is asked for", async () => {
    let started = false;
    const source = (): number[] => {
      started = true;
      return [1];
    };
    const results = fanOut(source, (n) => n, { workers: 1 });
    await Promise.resolve();
    expect(started).toBe(false);
    expect(await results.toArray()).toEqual([1]);
  });

  test("passes undefined and null on, and takes a string as its letters", async () => {
    const same = <T>(value: T): T => value;
    expect(await fanOut([undefined, null], same, { workers: 1 }).toArray()).toEqual([undefined, null]);
    expect(await fanOut("ab", same, { workers: 2, ordered: true }).toArray()).toEqual(["a", "b"]);
  });

  test("stops everything when a worker fails, finishes the source, and throws that failure", async () => {
    for (const ordered of [false, true]) {
      for (const seed of SEEDS.slice(0, 30)) {
        await simulate(
          async () => {
            const trail: string[] = [];
            const source = async function* (ctx: Context): AsyncGenerator<number> {
              try {
                yield* count(100, ctx);
              } finally {
                trail.push("source finished");
              }
            };
            const work = async (n: number, { ctx }: { ctx: Context }): Promise<void> => {
              if (n === 5) throw new Error("five");
              await sleep(20, ctx).finally(() => trail.push("worker ended"));
            };
            const error = await failure(fanOut(source, work, { workers: 3, ordered }).toArray());
            expect(error).toEqual(new Error("five"));
            expect(trail).toContain("source finished");
            const ended = trail.length;
            await sleep(1000);
            expect(trail).toHaveLength(ended);
          },
          { seed },
        );
      }
    }
  });

  test("throws the failure of the source, also of a call that fails at once", async () => {
    await simulate(async () => {
      const broken = async function* (): AsyncGenerator<number> {
        yield 1;
        throw new Error("broken source");
      };
      const work = (n: number): number => n;
      expect(await failure(fanOut(broken(), work, { workers: 2 }).toArray())).toEqual(
        new Error("broken source"),
      );
      const never = (): number[] => {
        throw new Error("no source");
      };
      expect(await failure(fanOut(never, work, { workers: 2 }).toArray())).toEqual(new Error("no source"));
    });
  });

  test("ends workers and source when the loop is left", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          let finished = false;
          const source = async function* (ctx: Context): AsyncGenerator<number> {
            try {
              yield* count(1000, ctx);
            } finally {
              finished = true;
            }
          };
          const work = (n: number, { ctx }: { ctx: Context }): Promise<void> => sleep(n % 7, ctx);
          let taken = 0;
          for await (const _ of fanOut(source, work, { workers: 4 })) if (++taken === 3) break;
          expect(finished).toBe(true);
        },
        { seed },
      );
    }
  });

  test("can be left while a channel or a flow gives it nothing", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const silent = new Channel<number>(1);
          await silent.send(1);
          for await (const _ of fanOut(silent, (n) => n, { workers: 2 })) break;
          expect(silent.waiting.receivers).toBe(0);

          await silent.send(2);
          const flow = fanOut(silent, (n) => n, { workers: 2 });
          for await (const _ of fanOut(flow, (n) => n, { workers: 2 })) break;
          expect(silent.waiting.receivers).toBe(0);
        },
        { seed },
      );
    }
  });

  test("takes from a channel only what a worker works on", async () => {
    for (const seed of SEEDS.slice(0, 30)) {
      await simulate(
        async () => {
          const jobs = closedChannel(...numbers(10));
          const started: number[] = [];
          const work = async (n: number, { ctx }: { ctx: Context }): Promise<void> => {
            started.push(n);
            await sleep(10, ctx);
          };
          for await (const _ of fanOut(jobs, work, { workers: 2 })) break;
          expect(jobs.size + started.length).toBe(10);
        },
        { seed },
      );
    }
  });

  test("throws the reason when its signal aborts: before, while it works, while it waits", async () => {
    const reason = new Error("enough");
    for (const afterMs of [0, 5, 15]) {
      await simulate(async () => {
        const { ctx, cancel } = withCancel(background);
        const source = async function* (own: Context): AsyncGenerator<number> {
          yield 1;
          await sleep(1_000_000, own);
        };
        const work = (_: number, { ctx }: { ctx: Context }): Promise<void> => sleep(10, ctx);
        const results = fanOut(source, work, { workers: 2, signal: ctx.signal });
        await TaskGroup.run(async (group) => {
          if (afterMs === 0) cancel(reason);
          else group.go(() => sleep(afterMs).then(() => cancel(reason)));
          expect(await failure(results.toArray())).toBe(reason);
        });
      });
    }
  });

  test("refuses wrong arguments at the call", () => {
    const work = (n: number): number => n;
    expect(() => fanOut([1], work, { workers: 0 })).toThrow(
      "workers must be a whole number of at least 1, got 0",
    );
    expect(() => fanOut([1], undefined as never, { workers: 1 })).toThrow(TypeError);
    expect(() => fanOut([1], work, { workers: 1, capacity: -1 })).toThrow(RangeError);
  });
});

describe("fanIn", () => {
  test("gives every value, those of one source in their order, and ends when all sources have", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const sources = ["a", "b", "c"].map(async function* (name) {
            for (const n of [1, 2, 3]) yield `${name}${n}`;
          });
          const merged = await fanIn(sources).toArray();
          for (const name of ["a", "b", "c"]) {
            expect(merged.filter((value) => value.startsWith(name))).toEqual([1, 2, 3].map((n) => name + n));
          }
          expect(merged).toHaveLength(9);
        },
        { seed },
      );
    }
  });

  test("takes whoever is ready first, and waits for the last", async () => {
    const { elapsedMs } = await simulate(async () => {
      const sources = [30, 10, 20].map(
        (ms) =>
          async function* (ctx: Context): AsyncGenerator<number> {
            await sleep(ms, ctx);
            yield ms;
          },
      );
      expect(await fanIn(sources).toArray()).toEqual([10, 20, 30]);
    });
    expect(elapsedMs).toBe(30);
  });

  test("merges nothing to nothing", async () => {
    expect(await fanIn([]).toArray()).toEqual([]);
    expect(await fanIn([[], closedChannel()]).toArray()).toEqual([]);
  });

  test("merges channels, arrays, generators and flows, each with its own type", async () => {
    const flow = pipeline(["y"]).map((letter) => letter);
    const merged = await fanIn([closedChannel(1, 2), ["x"], () => count(2), flow]).toArray();
    expectTypeOf(merged).toEqualTypeOf<(string | number)[]>();
    expect(merged.map(String).toSorted()).toEqual(["0", "1", "1", "2", "x", "y"]);
  });

  test("lets no busy source starve another", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const busy = function* (): Generator<string> {
            for (;;) yield "busy";
          };
          const seen: string[] = [];
          for await (const value of fanIn([busy(), busy(), ["rare"]])) {
            seen.push(value);
            if (value === "rare") break;
          }
          // Everybody else had at most a few turns before: far from for ever.
          expect(seen.length).toBeLessThan(50);
        },
        { seed },
      );
    }
  });

  test("stops all sources when one fails, and throws that failure", async () => {
    for (const seed of SEEDS.slice(0, 30)) {
      await simulate(
        async () => {
          let open = 0;
          const good = async function* (ctx: Context): AsyncGenerator<number> {
            open++;
            try {
              yield* count(1000, ctx);
            } finally {
              open--;
            }
          };
          const bad = async function* (ctx: Context): AsyncGenerator<number> {
            yield await sleep(5, ctx).then(() => 1);
            throw new Error("bad source");
          };
          const silent = new Channel<number>();
          const error = await failure(fanIn([good, good, bad, silent]).toArray());
          expect(error).toEqual(new Error("bad source"));
          expect(open).toBe(0);
          expect(silent.waiting.receivers).toBe(0);
        },
        { seed },
      );
    }
  });

  test("copes with thousands of silent sources, and leaves nothing at them", async () => {
    const sources = Array.from({ length: 5000 }, () => new Channel<number>());
    const speaker = sources[4321] as Channel<number>;
    const merged = fanIn(sources);
    const speak = async (): Promise<void> => {
      for (let n = 0; n < 1000; n++) await speaker.send(n);
    };
    const speaking = speak();
    let received = 0;
    for await (const n of merged) {
      expect(n).toBe(received++);
      if (received === 1000) break;
    }
    await speaking;
    expect(sources.every(({ waiting }) => waiting.receivers === 0 && waiting.senders === 0)).toBe(true);
  });

  test("can be left while flows are silent", async () => {
    for (const seed of SEEDS) {
      await simulate(
        async () => {
          const silent = Array.from({ length: 3 }, () => new Channel<number>());
          const flows = silent.map((channel) => fanIn([channel]));
          for await (const _ of fanIn([...flows, [1]])) break;
          expect(silent.map(({ waiting }) => waiting.receivers)).toEqual([0, 0, 0]);
        },
        { seed },
      );
    }
  });

  test("throws the reason when its signal aborts while all are silent", async () => {
    await simulate(async () => {
      const { ctx, cancel } = withCancel(background);
      const silent = new Channel<number>();
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(5).then(() => cancel(new Error("enough"))));
        expect(await failure(fanIn([silent], { signal: ctx.signal }).toArray())).toEqual(new Error("enough"));
      });
      expect(silent.waiting.receivers).toBe(0);
    });
  });

  test("fans out and in again, in the plain runtime as in a simulation", async () => {
    const run = async (): Promise<number[]> => {
      const halves = [numbers(50), numbers(50)].map((half) => fanOut(half, (n) => n * 2, { workers: 4 }));
      return (await fanIn(halves).toArray()).toSorted((a, b) => a - b);
    };
    const expected = numbers(50).flatMap((n) => [n * 2, n * 2]);
    expect(await run()).toEqual(expected);
    expect((await simulate(run)).value).toEqual(expected);
  });
});
