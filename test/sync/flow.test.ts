import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { Flow, pump } from "../../src/sync/flow.ts";
import { inBothRuntimes } from "../support/both-runtimes.ts";
import { listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

const boom = new Error("boom");

function counting(to: number, note: (what: string) => void = () => {}): Flow<number> {
  return new Flow<number>(async (out, { ctx }) => {
    note("started");
    try {
      for (let n = 1; n <= to; n++) {
        await out.send(n, ctx);
        note(`sent ${n}`);
      }
    } finally {
      await sleep(1);
      note("ended");
    }
  });
}

describe("Flow", () => {
  inBothRuntimes(
    "gives what its tasks send, in order, and ends",
    async () => {
      expect(await counting(4).toArray()).toEqual([1, 2, 3, 4]);
      const seen: number[] = [];
      await counting(3).forEach(async (n) => {
        await sleep(1);
        seen.push(n);
      });
      expect(seen).toEqual([1, 2, 3]);
    },
    20,
  );

  inBothRuntimes(
    "runs nothing before the first value is asked for, and nothing ahead of that",
    async () => {
      const notes: string[] = [];
      const flow = counting(5, (what) => notes.push(what));
      await sleep(2);
      expect(notes).toEqual([]);
      const iterator = flow[Symbol.asyncIterator]();
      expect(await iterator.next()).toEqual({ value: 1, done: false });
      await sleep(2);
      expect(notes).toEqual(["started", "sent 1"]);
      await iterator.return?.();
      expect(notes.at(-1)).toBe("ended");
    },
    20,
  );

  inBothRuntimes(
    "leaves nothing running when the loop is left",
    async () => {
      for (const how of ["break", "throw"]) {
        const notes: string[] = [];
        const end = await ended(
          (async () => {
            for await (const n of counting(100, (what) => notes.push(what))) {
              if (n === 3 && how === "throw") throw boom;
              if (n === 3) break;
            }
          })(),
        );
        expect(end).toEqual(how === "throw" ? { error: boom } : { value: undefined });
        expect(notes.at(-1)).toBe("ended");
      }
    },
    20,
  );

  inBothRuntimes(
    "throws the failure of a task, once all have ended",
    async () => {
      let cleaned = false;
      const flow = new Flow<number>(async (out, group) => {
        group.go(async () => {
          await ended(sleep(1e6, group.ctx));
          await sleep(1);
          cleaned = true;
        });
        await out.send(1, group.ctx);
        await sleep(1);
        throw boom;
      });
      expect([await failureOf(flow.toArray()), cleaned]).toEqual([boom, true]);
    },
    50,
  );

  inBothRuntimes(
    "is waited for by everybody who ends it, not by the first alone",
    async () => {
      let over = false;
      const flow = counting(100, (what) => {
        if (what === "ended") over = true;
      });
      const iterator = flow[Symbol.asyncIterator]();
      await iterator.next();
      const leaving = iterator.return?.();
      await flow[Symbol.asyncDispose]();
      expect(over).toBe(true);
      await leaving;
    },
    20,
  );

  inBothRuntimes(
    "throws what goes wrong on the way out",
    async () => {
      const flow = new Flow<number>(async (out, { ctx }) => {
        try {
          for (;;) await out.send(1, ctx);
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- a failure while cleaning up is what is tested
          throw boom;
        }
      });
      expect(
        await failureOf(
          (async () => {
            for await (const n of flow) if (n === 1) break;
          })(),
        ),
      ).toBe(boom);
    },
    10,
  );

  inBothRuntimes(
    "ends for all who read it at once: whoever comes late is not told that it was cancelled",
    async () => {
      const iterator = counting(3)[Symbol.asyncIterator]();
      const seen: number[] = [];
      const read = async (): Promise<void> => {
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
          seen.push(next.value);
          await sleep(1);
        }
      };
      await TaskGroup.run((group) => {
        for (let reader = 0; reader < 4; reader++) group.go(read);
      });
      expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    },
    100,
  );

  test("throws the reason of its signal, and leaves no listener", async () => {
    const controller = new AbortController();
    const flow = new Flow<number>(
      async (out, { ctx }) => {
        await out.send(1, ctx);
        await sleep(1e6, ctx);
      },
      { signal: controller.signal },
    );
    const collecting = failureOf(flow.toArray());
    await sleep(2);
    controller.abort(boom);
    expect(await collecting).toBe(boom);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("that was never begun ends without having run", async () => {
    const notes: string[] = [];
    const flow = counting(3, (what) => notes.push(what));
    await flow[Symbol.asyncDispose]();
    expect([await flow.toArray(), notes]).toEqual([[], []]);
  });

  test.each([Number.NaN, -1, 1.5, "3", {}])("refuses a capacity of %s", (capacity) => {
    expect(
      (thrownBy(() => new Flow(async () => {}, { capacity: capacity as number })) as Error).message,
    ).toMatch(/^capacity must be/);
  });
});

describe("pump", () => {
  inBothRuntimes(
    "sends everything, and finishes the source when it is given up midway",
    async () => {
      let finished = false;
      function* numbers(): Generator<number> {
        try {
          for (let n = 1; ; n++) yield n;
        } finally {
          finished = true;
        }
      }
      const out = new Channel<number>();
      const { ctx, cancel } = withCancel(background);
      const pumping = failureOf(pump(numbers(), out, ctx));
      expect((await out.receive()).value).toBe(1);
      expect((await out.receive()).value).toBe(2);
      cancel(boom);
      expect([await pumping, finished]).toEqual([boom, true]);
    },
    20,
  );

  test("does not wait for ever for a silent channel when it is given up", async () => {
    await simulate(async () => {
      const source = new Channel<number>(1);
      await source.send(1);
      const flow = new Flow<number>((out, { ctx }) => pump(source, out, ctx));
      for await (const n of flow) {
        expect(n).toBe(1);
        break;
      }
      expect(source.waiting.receivers).toBe(0);
    });
  });
});
