import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "concurrency-model-patterns/context";
import { BatchLoader } from "concurrency-model-patterns/singleflight/batching";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds } from "../../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../../support/outcomes.ts";

/** A loader that takes 10 ms a batch and gives each key in capitals; the batches so far, and their contexts. */
function capitals(options?: ConstructorParameters<typeof BatchLoader>[1]): {
  readonly loader: BatchLoader<string, string>;
  readonly batches: string[];
  readonly contexts: Context[];
} {
  const batches: string[] = [];
  const contexts: Context[] = [];
  const loader = new BatchLoader(async (keys: readonly string[], ctx) => {
    batches.push(keys.join(""));
    contexts.push(ctx);
    await sleep(10, ctx);
    return keys.map((key) => key.toUpperCase());
  }, options);
  return { loader, batches, contexts };
}

describe("BatchLoader.load", () => {
  inBothRuntimes(
    "gathers what is asked for at the same time, each key once",
    async () => {
      const { loader, batches } = capitals();
      const values = await Promise.all(["a", "b", "a", "c"].map((key) => loader.load(key)));
      expect(values).toEqual(["A", "B", "A", "C"]);
      expect(batches.map((batch) => [...batch].toSorted().join(""))).toEqual(["abc"]);
      expect(now()).toBe(11);
    },
    60,
  );

  inBothRuntimes(
    "waits for others as long as it is told to, and joins what is under way",
    async () => {
      const { loader, batches } = capitals({ waitMs: 5 });
      const first = loader.load("a");
      await sleep(4);
      const second = loader.load("b");
      await sleep(4);
      expect(await Promise.all([first, second, loader.load("a"), loader.load("c")])).toEqual([
        "A",
        "B",
        "A",
        "C",
      ]);
      expect([batches, now()]).toEqual([["ab", "c"], 23]);
      expect(await loader.load("a")).toBe("A");
      expect(batches).toEqual(["ab", "c", "a"]);
    },
    60,
  );

  inBothRuntimes(
    "begins a batch that is full at once",
    async () => {
      const { loader, batches } = capitals({ waitMs: 1000, maxKeys: 2 });
      await Promise.all(["a", "b", "c", "d"].map((key) => loader.load(key)));
      expect([batches.map(({ length }) => length), now(), loader.waiting]).toEqual([[2, 2], 10, 0]);
    },
    60,
  );

  inBothRuntimes("fails all callers of a batch that fails, and keeps nothing", async () => {
    let fails = true;
    const loader = new BatchLoader<number, number>((keys) => {
      if (fails) throw new Error("down");
      return keys;
    });
    expect(await Promise.all([ended(loader.load(1)), ended(loader.load(2))])).toEqual([
      { error: new Error("down") },
      { error: new Error("down") },
    ]);
    fails = false;
    expect(await loader.load(1)).toBe(1);
  });

  inBothRuntimes("fails the callers of one key with an error among the values", async () => {
    const loader = new BatchLoader<number, string | undefined>((keys) =>
      keys.map((key) => (key === 1 ? new Error("no 1") : undefined)),
    );
    expect(await Promise.all([1, 2, 1].map((key) => ended(loader.load(key))))).toEqual([
      { error: new Error("no 1") },
      { value: undefined },
      { error: new Error("no 1") },
    ]);
  });

  test.each<[string, unknown, string]>([
    ["too few values", [1], "1 values"],
    ["no values", undefined, "no array of values"],
  ])("refuses %s", async (_, given, text) => {
    const loader = new BatchLoader<number, unknown>(() => given as never);
    const [one, two] = await Promise.all([failureOf(loader.load(1)), failureOf(loader.load(2))]);
    expect(one).toMatchObject({ code: "MISUSE", message: `the work of a batch of 2 keys has given ${text}` });
    expect(two).toBe(one);
  });

  inBothRuntimes("drops a key for which nobody waits before its batch begins", async () => {
    const { loader, batches } = capitals({ waitMs: 5 });
    const controller = new AbortController();
    const left = failureOf(loader.load("a", controller));
    const stays = loader.load("b");
    await sleep(1);
    controller.abort("enough");
    expect(await left).toBe("enough");
    expect(await stays).toBe("B");
    expect([batches, now()]).toEqual([["b"], 15]);
  });

  inBothRuntimes("leaves no batch and no timer when all have left", async () => {
    const { loader, batches } = capitals({ waitMs: 5 });
    const controller = new AbortController();
    const left = failureOf(loader.load("a", controller));
    await sleep(1);
    expect(loader.waiting).toBe(1);
    controller.abort("enough");
    await left;
    await sleep(1);
    expect([loader.waiting, batches]).toEqual([0, []]);
    expect(await loader.load("a")).toBe("A");
    expect(now()).toBe(17);
  });

  inBothRuntimes("ends the context of the work when nobody waits for any of its keys", async () => {
    const { loader, contexts } = capitals();
    const [one, two] = [new AbortController(), new AbortController()];
    const ends = [failureOf(loader.load("a", one)), failureOf(loader.load("b", two))];
    await sleep(5);
    one.abort("one");
    await sleep(1);
    expect(contexts.map(({ error }) => error)).toEqual([undefined]);
    two.abort("two");
    await sleep(1);
    expect(await Promise.all(ends)).toEqual(["one", "two"]);
    expect(contexts.map(({ error }) => error?.code)).toEqual(["CANCELED"]);
    expect(now()).toBe(7);
  });

  test("answers everybody, whoever leaves and whenever, on every seed", async () => {
    await overSeeds(30, async (seed) => {
      await simulate(
        async () => {
          const { loader } = capitals({ waitMs: 2, maxKeys: 3 });
          const controllers = Array.from({ length: 8 }, () => new AbortController());
          const calls = controllers.map(({ signal }, n) =>
            ended(loader.load("abcd"[n % 4] ?? "", { signal })),
          );
          for (let n = 0; n < 8; n += 3) {
            await sleep(seed % 5);
            controllers[n]?.abort(n);
          }
          for (const [n, end] of (await Promise.all(calls)).entries()) {
            if ("value" in end) expect(end.value).toBe("ABCD"[n % 4]);
            else expect([n % 3, end.error]).toEqual([0, n]);
          }
          expect(loader.waiting).toBe(0);
        },
        { seed },
      );
    });
  });

  test("does its work in the async context of whoever made the loader", async () => {
    const storage = new AsyncLocalStorage<string>();
    const loader = storage.run(
      "maker",
      () => new BatchLoader<number, string | undefined>((keys) => keys.map(() => storage.getStore())),
    );
    expect(await storage.run("caller", () => loader.load(1))).toBe("maker");
  });

  test("checks its arguments at the call", () => {
    expect(thrownBy(() => new BatchLoader(undefined as never))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => new BatchLoader(() => [], { maxKeys: 0 }))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => new BatchLoader(() => [], { waitMs: Number.NaN }))).toBeInstanceOf(RangeError);
  });
});
