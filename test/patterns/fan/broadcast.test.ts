import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel } from "concurrency-model-patterns/context";
import {
  type BroadcastBranch,
  broadcast,
  type BroadcastOptions,
} from "concurrency-model-patterns/fan/broadcast";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

const boom = new Error("boom");
const numbers = (length: number): number[] => Array.from({ length }, (_, n) => n);

/** Reads branches at the same time, each with a pause after every value. */
function readAll<T>(
  branches: readonly BroadcastBranch<T>[],
  pauses: readonly number[],
): Promise<unknown[][]> {
  return TaskGroup.run((group) => {
    const readers = branches.map((branch, index) =>
      group.go(async (): Promise<unknown[]> => {
        const seen: T[] = [];
        try {
          for await (const value of branch) {
            seen.push(value);
            await sleep(pauses[index] ?? 0);
          }
        } catch (error) {
          return [...seen, error];
        }
        return seen;
      }),
    );
    return Promise.all(readers.map((reader) => reader.join()));
  });
}

/** Gives numbers, and tells when it has been finished. */
class Numbers {
  made = 0;
  open = 0;
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    this.open++;
    try {
      for (;;) {
        await sleep(1);
        yield this.made++;
      }
    } finally {
      this.open--;
    }
  }
}

describe("broadcast", () => {
  inBothRuntimes(
    "gives every value to every reader, in order, however slow they are",
    async () => {
      for (const capacity of [0, 1, 16]) {
        const seen = await readAll(broadcast(numbers(10), 3, { capacity }), [0, 1, 5]);
        expect(seen).toEqual([numbers(10), numbers(10), numbers(10)]);
      }
    },
    20,
  );

  inBothRuntimes(
    "reads the source once, and not before somebody asks; the slowest sets the pace",
    async () => {
      const source = new Numbers();
      const [fast, slow] = broadcast(source, 2, { capacity: 2 });
      await sleep(20);
      expect(source.made).toBe(0);
      const iterator = fast[Symbol.asyncIterator]();
      const first = [await iterator.next(), await iterator.next(), await iterator.next()];
      expect(first.map(({ value }) => value as unknown)).toEqual([0, 1, 2]);
      await sleep(100);
      // Two wait for the slow one, who has not asked yet, and one for room.
      expect(source.made).toBeLessThanOrEqual(4);
      await slow[Symbol.asyncDispose]();
      expect((await iterator.next()).value).toBe(3);
      await iterator.return?.();
      expect(source.open).toBe(0);
    },
    20,
  );

  inBothRuntimes(
    "drops the oldest of a slow reader, and says how many",
    async () => {
      const [fast, slow] = broadcast(new Numbers(), 2, { capacity: 2, overflow: "drop-oldest" });
      const late = slow[Symbol.asyncIterator]();
      expect((await late.next()).value).toBe(0);
      const seen: number[] = [];
      for await (const n of fast) if (seen.push(n) === 20) break;
      expect(seen).toEqual(numbers(20));
      const next = (await late.next()).value ?? 0;
      const after = (await late.next()).value ?? 0;
      expect(slow.dropped).toBeGreaterThan(10);
      expect([next >= 1, after > 10, fast.dropped]).toEqual([true, true, 0]);
      await late.return?.();
    },
    20,
  );

  inBothRuntimes(
    "disconnects a slow reader, who gets what waited and then an error; the others go on",
    async () => {
      const source = async function* (): AsyncGenerator<number> {
        for (const n of numbers(20)) {
          await sleep(1);
          yield n;
        }
      };
      const [fast, slow] = await readAll(
        broadcast(source, 2, { capacity: 2, overflow: "disconnect" }),
        [0, 1000],
      );
      expect(fast).toEqual(numbers(20));
      const told = slow?.at(-1) as { readonly code?: string };
      expect(told.code).toBe("FULL");
      expect(slow?.slice(0, -1)).toEqual(numbers((slow?.length ?? 0) - 1));
    },
    20,
  );

  inBothRuntimes(
    "gives a reader who leaves up, and the source when the last has left",
    async () => {
      const source = new Numbers();
      const [one, other] = broadcast(source, 2, { capacity: 0 });
      await TaskGroup.run((group) => {
        group.go(async () => {
          for await (const n of one) if (n === 3) break;
        });
        group.go(async () => {
          for await (const n of other) if (n === 30) break;
        });
      });
      expect([source.open, source.made]).toEqual([0, source.made]);
      expect(source.made).toBeGreaterThanOrEqual(31);
    },
    20,
  );

  inBothRuntimes(
    "tells a failure of the source to every reader, after the values that came before",
    async () => {
      const source = async function* (): AsyncGenerator<number> {
        yield* [1, 2];
        await sleep(1);
        throw boom;
      };
      expect(await readAll(broadcast(source, 2), [0, 5])).toEqual([
        [1, 2, boom],
        [1, 2, boom],
      ]);
    },
    20,
  );

  inBothRuntimes(
    "tells a failure on the way out of the source to whoever leaves last",
    async () => {
      const source = async function* (): AsyncGenerator<number> {
        try {
          for (;;) yield 1;
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- a failure while cleaning up is what is tested
          throw boom;
        }
      };
      const [one, other] = broadcast(source, 2);
      for await (const _ of one) break;
      const leaving = async (): Promise<void> => {
        for await (const _ of other) break;
      };
      expect(await failureOf(leaving())).toBe(boom);
    },
    20,
  );

  inBothRuntimes(
    "ends every reader with the reason of its signal",
    async () => {
      const source = new Numbers();
      const { ctx, cancel } = withCancel(background);
      const seen = await TaskGroup.run((group) => {
        group.go(() => sleep(10).then(() => cancel(boom)));
        return readAll(broadcast(source, 2, ctx as BroadcastOptions), [0, 2]);
      });
      expect(seen.map((each) => each.at(-1))).toEqual([boom, boom]);
      expect([source.open, now() < 1e9]).toEqual([0, true]);
    },
    20,
  );

  test("opens the source in the async context of whoever made it", async () => {
    const storage = new AsyncLocalStorage<string>();
    let seen: unknown;
    const source = (): number[] => {
      seen = storage.getStore();
      return [1];
    };
    const [only] = storage.run("maker", () => broadcast(source, 1));
    expect(await storage.run("reader", () => only.toArray())).toEqual([1]);
    expect(seen).toBe("maker");
  });

  test("refuses wrong arguments", () => {
    const messageOf = (readers: number, options: object): string =>
      (thrownBy(() => broadcast([1], readers, options)) as Error).message;
    expect(messageOf(0, {})).toContain("readers must be");
    expect(messageOf(1, { capacity: 0, overflow: "disconnect" })).toContain("capacity must be");
    expect(messageOf(1, { overflow: "wait" })).toContain("overflow must be");
  });
});
