/** Streams with tasks behind them: each call makes one and reads it, to the end or not. */
import type { Context } from "concurrency-model-patterns/context";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { below, codeOf, type Crowd, Failure, Gauge, type Fail, type Subject } from "../subject.ts";

/** A way to have work done on each value of a source. */
export interface FlowSubject {
  /** Whether results keep the order of the source. */
  readonly ordered: boolean;
  /** How many values are worked on at once. */
  readonly concurrency: number;
  /** How many values may have left the source and not been read: those worked on or held, and one on either side. */
  readonly ahead: number;
  readonly make: (source: FlowSource, work: FlowWork, options: CancelOptions) => AsyncIterable<number>;
  /** Ends what the flows share: workers, which take their time after a loop was left. */
  readonly end?: () => Promise<void>;
}

export type FlowSource = (ctx: Context) => AsyncGenerator<number>;
export type FlowWork = (value: number, ctx: Context) => Promise<number>;

const VALUES = 5;

function flowCrowd({ ordered, concurrency, ahead, make, end }: FlowSubject): Crowd {
  const opened = new Gauge();
  const working = new Gauge();
  let ended = false;
  const read = async (
    n: number,
    options: CancelOptions,
    leaveAfter: number,
    failAt: number,
  ): Promise<void> => {
    const own = new Gauge();
    let given = 0;
    const out: number[] = [];
    async function* source(ctx: Context): AsyncGenerator<number> {
      opened.enter();
      try {
        for (let value = 0; value < VALUES; value++) {
          await sleep(below(3), ctx);
          given++;
          expect(given - out.length, "promise 2: the source is never further ahead").toBeLessThanOrEqual(
            ahead,
          );
          if (value === failAt) throw new Failure(n);
          yield value;
        }
      } finally {
        await sleep(below(2));
        opened.leave();
      }
    }
    const work = async (value: number, ctx: Context): Promise<number> => {
      own.enter();
      working.enter();
      try {
        expect(own.now, "promise 2: no more are worked on than may").toBeLessThanOrEqual(concurrency);
        await sleep(below(4), ctx);
        if (value + VALUES === failAt) throw new Failure(n);
        return value;
      } finally {
        own.leave();
        working.leave();
      }
    };
    try {
      for await (const value of make(source, work, options)) {
        out.push(value);
        if (out.length === leaveAfter) break;
      }
    } finally {
      if (end === undefined) expect(own.now, "promise 4: nobody works once the loop is left").toBe(0);
    }
    expect(out.length, "promise 3: nothing is lost").toBe(Math.min(leaveAfter, VALUES));
    const whole = Array.from({ length: VALUES }, (_, value) => value);
    if (ordered) expect(out, "promise 5: in order").toEqual(whole.slice(0, leaveAfter));
    else expect(new Set(out).size, "promise 3: nothing comes twice").toBe(out.length);
  };
  return {
    callers: 3,
    parties: [
      { name: "read", call: (n, options) => read(n, options, VALUES + 1, Number.NaN) },
      { name: "leave", call: (n, options) => read(n, options, 1 + below(VALUES), Number.NaN) },
      { name: "fail", call: (n, options) => read(n, options, VALUES + 1, below(2 * VALUES)) },
    ],
    checkBounds: () => {},
    explains: (error, n) => {
      return error instanceof Failure ? error.of === n : ended && codeOf(error) === "CLOSED";
    },
    end: async () => {
      ended = end !== undefined;
      await end?.();
    },
    checkAccounts: () => {
      expect([opened.now, working.now], "promise 4: every source and worker has ended").toEqual([0, 0]);
    },
  };
}

/** The loop is left because of failure 1, and failure 2 happens because it was left. */
async function sourceFailsWhenLeft({ make, end }: FlowSubject, fail: Fail): Promise<void> {
  const source = async function* (): AsyncGenerator<number> {
    try {
      for (; ; await sleep(0.25)) yield 1;
    } finally {
      await fail(2, 1);
    }
  };
  try {
    for await (const _ of make(source, () => fail(1, 1), {}));
  } finally {
    await end?.();
  }
}

async function* values(...all: readonly number[]): AsyncGenerator<number> {
  yield* all;
}

async function readAll({ make, end }: FlowSubject, source: FlowSource, work: FlowWork): Promise<void> {
  try {
    for await (const _ of make(source, work, {}));
  } finally {
    await end?.();
  }
}

export function flowSubject(make: () => FlowSubject): Subject {
  return {
    crowds: { "": () => flowCrowd(make()) },
    busy: {
      "without end": (over) => {
        const source = async function* (): AsyncGenerator<number> {
          while (!over()) yield 1;
        };
        return readAll(make(), source, (value) => Promise.resolve(value));
      },
    },
    failing: { "the work": (work) => readAll(make(), () => values(1), work) },
    secondary: { "of a source that is left": (fail) => sourceFailsWhenLeft(make(), fail) },
    callbacks: {
      "the source and the work": async ({ owner, other, callback }) => {
        const flow = make();
        const source = async function* (): AsyncGenerator<number> {
          callback();
          yield* [1, 2, 3];
        };
        const work = async (value: number): Promise<number> => {
          callback();
          return value;
        };
        const made = owner(() => flow.make(source, work, {}));
        await other(async () => {
          for await (const _ of made);
        });
        await flow.end?.();
      },
    },
  };
}
