/** Calls that own what they start, and share nothing: each waits until all of it has ended. */
import type { Context } from "concurrency-model-patterns/context";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { below, codeOf, type Crowd, Failure, Gauge, type Subject } from "../subject.ts";

/** A call that is given something to do. */
export interface RunSubject {
  /** How many pieces of work one call has under way at most. */
  readonly concurrency: number;
  /** Whether the call may fail with this by itself, when time runs out say. */
  readonly ownCode?: string;
  /** Calls `work`, once or often, and settles when no work is left. */
  readonly run: (work: (ctx: Context) => Promise<void>, options: CancelOptions) => Promise<unknown>;
}

function runCrowd({ concurrency, ownCode, run }: RunSubject): Crowd {
  const everywhere = new Gauge();
  return {
    callers: 4,
    parties: [
      {
        name: "run",
        call: async (n, options) => {
          const own = new Gauge();
          const work = async (ctx: Context): Promise<void> => {
            own.enter();
            everywhere.enter();
            try {
              await sleep(below(5), ctx);
              if (below(12) === 0) throw new Failure(n);
            } finally {
              await sleep(below(2));
              own.leave();
              everywhere.leave();
            }
          };
          try {
            await run(work, options);
          } finally {
            expect(own.now, "promise 4: it settles when nothing of it runs").toBe(0);
            expect(own.most, "promise 2: no more at once than may").toBeLessThanOrEqual(concurrency);
          }
        },
      },
    ],
    checkBounds: () => {},
    explains: (error, n) => (error instanceof Failure ? error.of === n : codeOf(error) === ownCode),
    end: () => {},
    checkAccounts: () => expect(everywhere.now, "promise 4: nothing runs").toBe(0),
  };
}

export function runSubject(subject: RunSubject): Subject {
  return {
    crowds: { "": () => runCrowd(subject) },
    failing: { "the work": (work) => subject.run(work, {}) },
    callbacks: {
      "the work": ({ owner, callback }) => owner(() => subject.run(async () => callback(), {})),
    },
  };
}
