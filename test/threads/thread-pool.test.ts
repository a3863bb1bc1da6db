import { AsyncLocalStorage } from "node:async_hooks";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Channel } from "concurrency-model-patterns/channel";
import {
  type ThreadCrashError,
  type ThreadPool,
  threadPool,
  transfer,
} from "concurrency-model-patterns/threads";
import { simulate } from "concurrency-model-patterns/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { failureOf, type Jobs, jobs, pause, withPool } from "./with-pool.ts";

beforeAll(buildIfStale);

const execute = promisify(execFile);

describe("a pool of threads", () => {
  test("calls functions of a module in other threads, and gives their results to their callers", async () => {
    await withPool({}, async (pool) => {
      expect(await Promise.all([pool.run("square", 3), pool.run("later", 1), pool.run("square", 4)])).toEqual(
        [9, 1, 16],
      );
      expect((await pool.run("where", undefined)).isMainThread).toBe(false);
      expect(await pool.run("workerOf", undefined)).toBeGreaterThan(0);
    });
  });

  test("gives a thread that has come later what waits in another", async () => {
    await withPool({ workers: 1 }, async (pool) => {
      const memory = new SharedArrayBuffer(4);
      pool.resize(2);
      // The second thread is not there yet: both go to the first, which is held until the other job has been done.
      const waiting = pool.run("awaitMark", [memory, 0]);
      await pool.run("markAndNotify", [memory, 0]);
      expect(["ok", "not-equal"]).toContain(await waiting);
    });
  });

  test("does a map in order, from a source that it takes from as it goes", async () => {
    await withPool({}, async (pool) => {
      const values = Array.from({ length: 100 }, (_, n) => n);
      expect(await pool.map("square", values).toArray()).toEqual(values.map((n) => n * n));
      const unordered = await pool.map("square", values, { ordered: false }).toArray();
      expect(unordered.toSorted((a, b) => a - b)).toEqual(values.map((n) => n * n));
    });
  });

  test("is a pool of one function for whoever wants that", async () => {
    await withPool({}, async (pool) => {
      const square = pool.of("square");
      expect(await square.run(5)).toBe(25);
      expect(await square.map([1, 2]).toArray()).toEqual([1, 4]);
      expect(square.stats.processed).toBe(3);
    });
  });

  test("moves what is to be moved, there and back", async () => {
    await withPool({}, async (pool) => {
      const mine = new Uint8Array(1000);
      expect(await pool.run("sizeOf", transfer(mine, [mine.buffer]))).toBe(1000);
      expect(mine.byteLength).toBe(0);
      expect((await pool.run("bytes", 1000))[999]).toBe(7);
    });
  });

  test("refuses to move what was moved already, and loses no other job over it", async () => {
    await withPool({ workers: 1 }, async (pool) => {
      const mine = new Uint8Array(1000);
      await pool.run("sizeOf", transfer(mine, [mine.buffer]));
      const again = failureOf(pool.run("sizeOf", transfer(mine, [mine.buffer])));
      expect(await pool.run("square", 3)).toBe(9);
      expect(((await again) as Error).name).toBe("DataCloneError");
      expect((await pool.run("moveAgain", undefined)).length).toBe(8);
      expect(((await failureOf(pool.run("moveAgain", undefined))) as Error).name).toBe("DataCloneError");
    });
  });

  test("copies what it is given: a class is lost, and no key changes what all objects have", async () => {
    await withPool({ workers: 1 }, async (pool) => {
      const given = JSON.parse('{ "__proto__": { "polluted": true } }') as object;
      expect(await pool.run("shapeOf", given)).toEqual([true, true, false]);
      expect(
        await pool.run(
          "shapeOf",
          new (class Own {
            readonly n = 1;
          })(),
        ),
      ).toEqual([true, false, false]);
    });
  });

  test("keeps a result that was given before the thread has ended", async () => {
    await withPool({ workers: 1, onError: () => {} }, async (pool) => {
      expect(await pool.run("giveThenExit", 5)).toBe(5);
      expect(await pool.run("square", 3)).toBe(9);
    });
  });

  test("goes on in the async context of the caller", async () => {
    const storage = new AsyncLocalStorage<string>();
    await withPool({ workers: 1 }, async (pool) => {
      const seen = ["one", "other"].map((who) =>
        storage.run(who, async () => {
          await pool.run("square", 1);
          const [first] = await pool.stream("count", 1).toArray();
          return [storage.getStore(), first];
        }),
      );
      expect(await Promise.all(seen)).toEqual([
        ["one", 1],
        ["other", 1],
      ]);
    });
  });
});

describe("a failure in a thread", () => {
  test("reaches its caller with name, message, code and cause, as an error of the language's class", async () => {
    await withPool({}, async (pool) => {
      const own = (await failureOf(pool.run("fail", "own"))) as Error & { code: string };
      expect([own.name, own.message, own.code]).toEqual(["OwnError", "mine", "OWN"]);
      expect(own.cause).toBeInstanceOf(TypeError);
      expect(own.stack).toContain("jobs.mjs");
      expect(await failureOf(pool.run("fail", "range"))).toBeInstanceOf(RangeError);
      expect(await failureOf(pool.run("fail", "undefined"))).toBe(undefined);
      expect(((await failureOf(pool.run("fail", "function"))) as Error).message).toBe("holds a function");
      expect(await failureOf(pool.run("fail", 5))).toBe(5);
      expect(pool.stats.restarts).toBe(0);
    });
  });

  test("concerns the one call alone if something cannot be copied", async () => {
    await withPool({}, async (pool) => {
      const bad = (() => 1) as unknown as number;
      const calls = [pool.run("square", 2), failureOf(pool.run("square", bad)), pool.run("square", 3)];
      const [two, failure, three] = await Promise.all(calls);
      expect([two, (failure as Error).name, three]).toEqual([4, "DataCloneError", 9]);
      expect(((await failureOf(pool.run("uncopyable", undefined))) as Error).name).toBe("DataCloneError");
      expect(pool.stats.restarts).toBe(0);
    });
  });

  test("is a failure too if the module has no such function", async () => {
    await withPool({}, async (pool) => {
      const failure = await failureOf(pool.run("toString" as "square", 1));
      expect((failure as Error).message).toBe('the module exports no function "toString"');
    });
  });
});

describe("a thread that ends", () => {
  test.each([
    ["by exit with 0", (pool: ThreadPool<Jobs>) => pool.run("exit", 0), 0],
    ["by exit with 7", (pool: ThreadPool<Jobs>) => pool.run("exit", 7), 7],
    ["for lack of memory", (pool: ThreadPool<Jobs>) => pool.run("exhaust", undefined), 1],
  ])("%s fails its call, and is replaced", async (_, call, exitCode) => {
    await withPool({ thread: { resourceLimits: { maxOldGenerationSizeMb: 16 } } }, async (pool) => {
      const failure = (await failureOf(call(pool))) as ThreadCrashError;
      expect([failure.code, failure.exitCode]).toEqual(["CRASHED", exitCode]);
      expect(await Promise.all([1, 2, 3, 4].map((n) => pool.run("square", n)))).toEqual([1, 4, 9, 16]);
      expect([pool.size, pool.stats.restarts]).toEqual([2, 1]);
    });
  });

  test.each(["crashLater", "rejectLater"] as const)(
    "after its call has ended by %s keeps the result, and is told of",
    async (name) => {
      const told = new Channel<unknown>(4);
      await withPool({ workers: 1, onError: (error) => void told.trySend(error) }, async (pool) => {
        expect(await pool.run(name, 1)).toBe("given");
        const { value } = await told.receive();
        expect((value as Error).message).toMatch(/later|nobody heard/);
        expect(await pool.run("square", 2)).toBe(4);
      });
    },
  );
});

// The long tests kill as many as a good minute allows, and `npm run test:deep` hundreds.
describe("a call that is given up", () => {
  test("rejects its caller at once; the function is told, and keeps its thread if it obeys", async () => {
    await withPool({ workers: 1 }, async (pool) => {
      const controller = new AbortController();
      const call = failureOf(pool.run("untilTold", undefined, { signal: controller.signal }));
      controller.abort("enough");
      expect(await call).toBe("enough");
      expect(await pool.run("square", 3)).toBe(9);
      expect(pool.stats.restarts).toBe(0);
    });
  });

  test("and ends in time leaves the next call on its thread alone, also when that time is over", async () => {
    await withPool({ workers: 1, graceMs: 20 }, async (pool) => {
      const controller = new AbortController();
      const call = failureOf(pool.run("untilTold", undefined, { signal: controller.signal }));
      controller.abort("enough");
      expect([await call, await pool.run("spinFor", 60), pool.stats.restarts]).toEqual(["enough", 60, 0]);
    });
  });

  test("is never done if it had not begun", async () => {
    const memory = new SharedArrayBuffer(4);
    await withPool({ workers: 1 }, async (pool) => {
      const controller = new AbortController();
      const first = pool.run("spinFor", 5);
      const second = failureOf(pool.run("mark", [memory, 0], { signal: controller.signal }));
      controller.abort("enough");
      expect([await first, await second]).toEqual([5, "enough"]);
      await pool.run("square", 1);
      expect(new Int32Array(memory)[0]).toBe(0);
    });
  });

  test("ends its thread if the function does not obey in time, and nobody else suffers", async () => {
    const memory = new SharedArrayBuffer(4);
    await withPool({ workers: 1, graceMs: 5 }, async (pool) => {
      await Promise.all(Array.from({ length: 100 }, () => pool.run("square", 1)));
      const controller = new AbortController();
      const { signal } = controller;
      const endless = failureOf(pool.run("markThen", [memory, 0, "spin"], { signal }));
      const others = Promise.all([2, 3, 4].map((n) => pool.run("square", n)));
      while (Atomics.load(new Int32Array(memory), 0) === 0) await pause(1);
      controller.abort("enough");
      expect(await endless).toBe("enough");
      expect(await others).toEqual([4, 9, 16]);
      expect(pool.stats.restarts).toBe(1);
    });
  });

  test("for its time finds a timeout as the reason in its context", async () => {
    const log = new SharedArrayBuffer(4);
    await withPool({ workers: 1 }, async (pool) => {
      await failureOf(pool.run("whyTold", log, { timeoutMs: 5 }));
      await pool.run("square", 1);
      expect(new Int32Array(log)[0]).toBe(2);
    });
  });
});

describe("a stream of a thread", () => {
  test("gives what a generator yields, in order", async () => {
    await withPool({}, async (pool) => {
      expect(await pool.stream("count", 100).toArray()).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    });
  });

  test("is ahead of its reader by so much and no more, and ends with the loop", async () => {
    const memory = new SharedArrayBuffer(8);
    const cells = new Int32Array(memory);
    await withPool({ workers: 1 }, async (pool) => {
      let seen = 0;
      for await (const n of pool.stream("countSlowly", [memory, 1000], { capacity: 4 })) {
        seen = n;
        if (n === 3) await pause(20);
        if (n === 3) break;
      }
      expect(seen).toBe(3);
      expect(Atomics.load(cells, 0)).toBeLessThanOrEqual(3 + 4 + 2);
      await pool.run("square", 1);
      expect(Atomics.load(cells, 1)).toBe(1);
    });
  });
});

describe("the threads of a pool", () => {
  test("cannot be had for a module that cannot be loaded: every call fails with the reason", async () => {
    const pool = threadPool<Jobs>(new URL("data:text/javascript,throw new RangeError('not today')"), {
      workers: 2,
    });
    const failure = await failureOf(pool.run("square", 1));
    expect(failure).toBeInstanceOf(RangeError);
    expect(await failureOf(pool.ready())).toBeInstanceOf(RangeError);
    await failureOf(pool.drain());
    expect(pool.size).toBe(0);
  });

  test("are ended with a pool that is cancelled while the module does not come to an end of loading", async () => {
    const endless = new URL("data:text/javascript,await new Promise(() => setInterval(() => {}, 1000))");
    const pool = threadPool<Jobs>(endless, { workers: 2 });
    const call = failureOf(pool.run("square", 1));
    pool.cancel("enough");
    expect(await call).toBe("enough");
    await pool.drain();
    expect(pool.size).toBe(0);
  });

  test("are not started for a pool that is cancelled already, nor for one that has ended", async () => {
    const pool = threadPool<Jobs>(jobs, { workers: 2, signal: AbortSignal.abort("enough") });
    await pool.drain();
    pool.resize(4);
    await pause(0);
    expect([pool.size, pool.stats.restarts]).toEqual([0, 0]);
  });

  test("keep no process alive that has nothing for them to do", async () => {
    const library = new URL("../../dist/src/node/threads.js", import.meta.url);
    const program = `
      const { threadPool } = await import(${JSON.stringify(library.href)});
      const pool = threadPool(new URL(${JSON.stringify(jobs.href)}), { workers: 2 });
      console.log(await pool.run("square", 5));
      process.on("exit", () => console.log(pool.size));`;
    const { stdout } = await execute(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).toBe("25\n2\n");
  });

  test("cannot be simulated", async () => {
    const failure = await simulate(() => threadPool<Jobs>(jobs)).catch((error: unknown) => error);
    expect((failure as Error).message).toBe("threads cannot be simulated");
  });

  test("become more and fewer, and no job is given up", async () => {
    await withPool({ workers: 1 }, async (pool) => {
      const calls = Array.from({ length: 20 }, () => pool.run("later", 1));
      pool.resize(3);
      expect(pool.size).toBe(3);
      await Promise.all(calls);
      pool.resize(1);
      expect(await pool.run("square", 2)).toBe(4);
      expect(pool.size).toBe(1);
    });
  });

  test("end with the pool, also when it is only closed", async () => {
    const pool = threadPool<Jobs>(jobs, { workers: 2 });
    const call = pool.run("square", 5);
    pool.close();
    expect(await call).toBe(25);
    await pool.drain();
    expect(pool.size).toBe(0);
    expect(((await failureOf(pool.run("square", 1))) as Error).message).toBe("worker pool is closed");
  });
});
