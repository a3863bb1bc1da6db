/** How values get from one stage to the next: in order, each once, no further ahead than was said, and given up at any point. */
import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel } from "concurrency-model-patterns/context";
import { fanIn, fanOut } from "concurrency-model-patterns/fan";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { hostGetsItsTurn, until } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

const boom = new Error("boom");
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe.each([0, 1, 4, 17])("a capacity of %i between two stages", (capacity) => {
  inBothRuntimes(
    "lets the first be ahead by that many and the one that it holds, and by no more, from the start to the end",
    async () => {
      let made = 0;
      let taken = 0;
      let most = 0;
      const first = (n: number): number => {
        made++;
        most = Math.max(most, made - taken);
        return n;
      };
      const second = async (n: number): Promise<number> => {
        taken++;
        await sleep(1);
        return n;
      };
      const run = pipeline(upTo(40)).map(first, { capacity }).map(second);
      const ahead: number[] = [];
      const results: number[] = [];
      for await (const n of run) {
        results.push(n);
        if (n < 20) await sleep(10);
        if (n === 15) ahead.push(made - taken);
      }
      expect(results).toEqual(upTo(40));
      // And one that was handed over may not have been looked at.
      expect([capacity + 1, capacity + 2]).toContain(most);
      // While the second waits for its reader, the first goes on until there is no room, also after a long time.
      expect(ahead.every((values) => values > capacity - Math.max(1, capacity / 4))).toBe(true);
      expect(made - taken).toBe(0);
    },
    5,
  );

  inBothRuntimes(
    "gives each value once, in order, whichever side is slow, and now one and now the other",
    async () => {
      const slowOn = (share: number, of: number) => async (n: number) => {
        if (n % of < share) await sleep(1);
        return n;
      };
      for (const [first, second] of [
        [slowOn(0, 1), slowOn(1, 1)],
        [slowOn(1, 1), slowOn(0, 1)],
        [slowOn(20, 40), slowOn(0, 20)],
        [slowOn(3, 7), slowOn(2, 5)],
      ] as const) {
        const run = pipeline(upTo(50)).map(first, { capacity }).map(second, { capacity });
        expect(await run.toArray()).toEqual(upTo(50));
      }
    },
    5,
  );

  inBothRuntimes(
    "is given up at any value: by a failure of either stage, by who leaves, by the signal",
    async () => {
      for (const at of [0, 1, capacity, capacity + 1, capacity + 2]) {
        let finished = 0;
        async function* source(): AsyncGenerator<number> {
          try {
            for (let n = 0; ; n++) yield n;
          } finally {
            await sleep(1);
            finished++;
          }
        }
        const failAt = (n: number): number => {
          if (n === at) throw boom;
          return n;
        };
        const same = (n: number): number => n;
        const slow = async (n: number): Promise<number> => (await sleep(1), n);
        const stages = { capacity };
        for (const [first, second] of [
          [failAt, slow],
          [slow, failAt],
          [failAt, same],
          [same, failAt],
        ] as const) {
          const run = pipeline(source, stages).map(first, stages).map(second, stages);
          expect(await failureOf(run.toArray())).toBe(boom);
        }
        for await (const n of pipeline(source, stages).map(same, stages).map(slow, stages))
          if (n === at) break;
        const { ctx, cancel } = withCancel(background);
        const cancelled = pipeline(source, { ...stages, signal: ctx.signal })
          .map(same, stages)
          .map(async (n) => {
            if (n === at) cancel(boom);
            return slow(n);
          }, stages);
        expect(await failureOf(cancelled.toArray())).toBe(boom);
        expect(finished).toBe(6);
      }
    },
    3,
  );
});

describe("several workers on either side of a way between stages", () => {
  inBothRuntimes(
    "get every value across, once, and in order if they are to",
    async () => {
      for (const capacity of [0, 1, 5]) {
        const late = (n: number): Promise<number> => sleep((n * 7) % 4).then(() => n);
        const workers = { concurrency: 3, capacity };
        const ordered = pipeline(upTo(30)).map(late, workers).map(late, workers);
        expect(await ordered.toArray()).toEqual(upTo(30));
        const unordered = pipeline(upTo(30))
          .map(late, { ...workers, ordered: false })
          .map(late, workers);
        expect((await unordered.toArray()).toSorted((a, b) => a - b)).toEqual(upTo(30));
      }
    },
    10,
  );

  inBothRuntimes(
    "wait in the order in which they came",
    async () => {
      const sources = ["a", "b", "c"].map(
        (name) =>
          function* (): Generator<string> {
            for (let n = 0; n < 3; n++) yield `${name}${n}`;
          },
      );
      const merged: string[] = [];
      for await (const value of fanIn(sources)) {
        merged.push(value);
        await sleep(1);
      }
      for (const name of ["a", "b", "c"])
        expect(merged.filter((value) => value.startsWith(name))).toEqual([
          `${name}0`,
          `${name}1`,
          `${name}2`,
        ]);
      // None gives its third value while another waits with its first.
      expect(merged.indexOf("a2")).toBeGreaterThan(merged.indexOf("c0"));
    },
    1,
  );
});

test("steps run in the async context of whoever made the pipeline, also when a value is there at once", async () => {
  const storage = new AsyncLocalStorage<string>();
  const tell = (seen: string): string => `${seen} ${storage.getStore()}`;
  const run = storage.run("maker", () =>
    pipeline(function* () {
      for (const n of upTo(4)) yield tell(`${n}`);
    })
      .map(tell)
      .map(async (seen) => (await storage.run("inside", () => sleep(1)), tell(seen)), { capacity: 2 })
      .map((seen) => storage.run("inside", () => Promise.resolve(seen)))
      .map(tell),
  );
  const results = await storage.run("reader", () => run.toArray());
  expect(results).toEqual(upTo(4).map((n) => `${n} maker maker maker maker`));
});

test("results that are all skipped let the host have its turn", async () => {
  const ways = [
    (source: Iterable<number>) =>
      fanOut(source, () => Promise.reject(boom), { workers: 1, onError: () => "skip" }).toArray(),
    (source: Iterable<number>) =>
      fanOut(source, () => Promise.reject(boom), {
        workers: 2,
        ordered: true,
        onError: () => "skip",
      }).toArray(),
    (source: Iterable<number>) =>
      pipeline(source)
        .filter(() => false)
        .toArray(),
  ];
  for (const run of ways) expect(await hostGetsItsTurn((over) => run(until(over)))).toBe(true);
});
