/** The ways to have work done on each value of a source. */
import { fanIn, fanOut } from "concurrency-model-patterns/fan";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { FlowSource, FlowSubject } from "../kinds/flow.ts";
import type { Subject } from "../subject.ts";
import { signalOf } from "./signal-of.ts";

type Opened = Parameters<FlowSource>[0];

export const flows = {
  pipeline: () => ({
    ordered: true,
    concurrency: 1,
    ahead: 3,
    make: (source, work, options) => pipeline(source, options).map(work),
  }),

  concurrentPipeline: () => ({
    ordered: true,
    concurrency: 3,
    ahead: 6,
    make: (source, work, options) => pipeline(source, options).map(work, { concurrency: 3 }),
  }),

  ownStage: () => ({
    ordered: true,
    concurrency: 1,
    ahead: 3,
    make: (source, work, options) =>
      pipeline(source, options).through(async function* (input, ctx) {
        for await (const value of input) yield await work(value, ctx);
      }),
  }),

  fanOut: () => ({
    ordered: false,
    concurrency: 3,
    ahead: 5,
    make: (source, work, options) =>
      fanOut(source, (value, { ctx }) => work(value, ctx), { ...signalOf(options), workers: 3 }),
  }),

  orderedFanOut: () => ({
    ordered: true,
    concurrency: 3,
    ahead: 6,
    make: (source, work, options) => {
      const how = { ...signalOf(options), workers: 3, ordered: true };
      return fanOut(source, (value, { ctx }) => work(value, ctx), how);
    },
  }),

  fanIn: () => ({
    ordered: true,
    concurrency: 1,
    ahead: 2,
    make: (source, work, options) => {
      async function* worked(ctx: Opened): AsyncGenerator<number> {
        for await (const value of source(ctx)) yield await work(value, ctx);
      }
      return fanIn([worked, []], options);
    },
  }),

  poolMap: () => {
    const pool = new WorkerPool((job: () => Promise<number>) => job(), { workers: 3 });
    return {
      ordered: true,
      concurrency: 3,
      ahead: 6,
      make: (source, work, options) => {
        async function* jobs(ctx: Opened): AsyncGenerator<() => Promise<number>> {
          for await (const value of source(ctx)) yield () => work(value, ctx);
        }
        return pool.map(jobs, options);
      },
      end: () => pool.drain(),
    };
  },
} satisfies Record<string, () => FlowSubject>;

/** Several sources in one loop. */
export const fanIns: Subject = {
  secondary: {
    "of a source that is left because another one failed": (fail) => {
      const left = async function* (): AsyncGenerator<number> {
        try {
          for (; ; await sleep(0.25)) yield 1;
        } finally {
          await fail(2, 1);
        }
      };
      const failing = async function* (): AsyncGenerator<number> {
        yield await fail(1, 1);
      };
      return fanIn([left, failing]).toArray();
    },
  },
  rivals: {
    "a source that has little": async () => {
      const loud = function* (): Generator<"loud" | "quiet"> {
        for (;;) yield "loud";
      };
      const quiet: ("loud" | "quiet")[] = ["quiet", "quiet", "quiet"];
      const counts = { loud: 0, quiet: 0 };
      for await (const word of fanIn([loud(), quiet])) {
        if (++counts[word] === (word === "quiet" ? 3 : 1000)) break;
      }
      expect(counts.quiet, "promise 5: the quiet one is heard").toBe(3);
      expect(counts.loud, "promise 5: soon").toBeLessThan(300);
    },
  },
};
