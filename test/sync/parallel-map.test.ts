import { Channel, type Received } from "concurrency-model-patterns/channel";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { Flow } from "../../src/sync/flow.ts";
import { parallelMap } from "../../src/sync/parallel-map.ts";
import { inBothRuntimes, overSeeds } from "../support/both-runtimes.ts";
import { failureOf } from "../support/outcomes.ts";

interface Plan {
  readonly count: number;
  readonly workers: number;
  readonly ordered: boolean;
  readonly work: (value: number, worker: number) => number | Promise<number>;
  readonly taken?: (value: number) => void;
}

/** A flow of what `work` makes of the numbers from 0. */
function mapped({ count, workers, ordered, work, taken }: Plan): Flow<number> {
  return new Flow<number>(async (out, group) => {
    let at = 0;
    const next = (): Promise<Received<number>> => {
      if (at === count) return Promise.resolve({ value: undefined, done: true });
      taken?.(at);
      return Promise.resolve({ value: at++, done: false });
    };
    await parallelMap({ group, next, out, workers, ordered, name: "worker", work });
  });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe.each([1, 2, 3, 7])("parallelMap with %i workers", (workers) => {
  inBothRuntimes(
    "keeps the order of the input when it is asked to",
    async () => {
      const flow = mapped({
        count: 8,
        workers,
        ordered: true,
        work: async (n) => (await sleep((n * 7) % 3), n),
      });
      expect(await flow.toArray()).toEqual(upTo(8));
    },
    20,
  );

  inBothRuntimes(
    "gives every result once when it is not",
    async () => {
      const flow = mapped({
        count: 8,
        workers,
        ordered: false,
        work: async (n) => (await sleep((n * 7) % 3), n),
      });
      expect((await flow.toArray()).toSorted((a, b) => a - b)).toEqual(upTo(8));
    },
    20,
  );

  test.each([true, false])("works on that many at once, and on no more (ordered: %s)", async (ordered) => {
    await overSeeds(20, async (seed) => {
      await simulate(
        async () => {
          let active = 0;
          let most = 0;
          const seen = new Set<number>();
          const work = async (n: number, worker: number): Promise<number> => {
            most = Math.max(most, ++active);
            seen.add(worker);
            await sleep(1);
            active--;
            return n;
          };
          await mapped({ count: 20, workers, ordered, work }).toArray();
          expect([most, seen.size]).toEqual([workers, workers]);
        },
        { seed },
      );
    });
  });

  test.each([true, false])(
    "ends with the failure of one, and stops the others (ordered: %s)",
    async (ordered) => {
      const boom = new Error("boom");
      await overSeeds(50, async (seed) => {
        await simulate(
          async () => {
            let begun = 0;
            const work = async (n: number): Promise<number> => {
              begun++;
              await sleep(1);
              if (n === 3) throw boom;
              return n;
            };
            expect(await failureOf(mapped({ count: 1000, workers, ordered, work }).toArray())).toBe(boom);
            expect(begun).toBeLessThan(50);
          },
          { seed },
        );
      });
    },
  );

  test("lets as many results wait for a late one as there are workers, and takes nothing beyond", async () => {
    await simulate(async () => {
      let taken = 0;
      const gate = new Channel<never>();
      const work = async (n: number): Promise<number> => {
        if (n === 0) await gate.receive();
        return n;
      };
      await TaskGroup.run(async (group) => {
        const flow = mapped({ count: 1000, workers, ordered: true, work, taken: (n) => (taken = n + 1) });
        const collected = group.go(() => flow.toArray());
        await sleep(10);
        // Those that wait, the late one among them.
        expect(taken).toBe(workers);
        gate.close();
        expect(await collected.join()).toEqual(upTo(1000));
      });
    });
  });
});
