/** Calls that wait for time and are of no kind that has other subjects. */
import { Channel } from "concurrency-model-patterns/channel";
import { background, withDeadline, withTimeout } from "concurrency-model-patterns/context";
import { after, receive, select } from "concurrency-model-patterns/select";
import { Supervisor } from "concurrency-model-patterns/supervisor";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import { now, sleep, Ticker } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import { ended, failureOf } from "../../support/outcomes.ts";
import { codeOf, type Subject } from "../subject.ts";

/** Two timers, one after the other. */
async function throughGrace(ms: number): Promise<void> {
  const gate = new Channel<number>();
  const limits = { timeoutMs: 0.25 * ms, graceMs: 0.75 * ms };
  expect(codeOf(await failureOf(timeout(() => gate.receive(), limits)))).toBe("TIMEOUT");
  gate.close();
}

export const timers: Subject = {
  timed: {
    sleep: (ms) => sleep(ms),
    withTimeout: async (ms) => {
      const { ctx } = withTimeout(background, ms);
      expect(await ended(new Channel<number>().receive(ctx))).toEqual({ error: ctx.cause });
      expect([codeOf(ctx.error), codeOf(ctx.cause)], "promise 7").toEqual(["TIMEOUT", "TIMEOUT"]);
    },
    withDeadline: async (ms) => {
      const { ctx } = withDeadline(background, now() + ms);
      await ended(sleep(Number.POSITIVE_INFINITY, ctx));
    },
    "select with after": (ms) => select({ late: after(ms), never: receive(new Channel<number>()) }),
    Ticker: async (ms) => {
      using ticker = new Ticker(ms);
      expect((await ticker.receive()).done).toBe(false);
    },
    "a restart that is delayed": async (ms) => {
      const starts: number[] = [];
      const start = (): void => {
        if (starts.push(now()) === 1) throw new Error("the first time");
      };
      const child = { id: "child", restart: "transient", start } as const;
      await new Supervisor([child], { restartDelayMs: ms }).wait();
      expect(starts.length).toBe(2);
    },
  },
};

export const timeLimits: Subject = {
  timed: {
    timeout: (ms) =>
      timeout((ctx) => sleep(Number.POSITIVE_INFINITY, ctx), { timeoutMs: ms, fallback: () => "late" }),
    "the grace of timeout": Object.assign(throughGrace, { inSteps: true }),
  },
  secondary: {
    "of work that is out of time": async (fail) => {
      const late: unknown[] = [];
      const work = async (ctx: Parameters<Parameters<typeof timeout>[0]>[0]): Promise<never> => {
        await ended(sleep(1000, ctx));
        return fail(1, 1);
      };
      const error = await failureOf(timeout(work, { timeoutMs: 2 }));
      expect(codeOf(error), "promise 7: a timeout").toBe("TIMEOUT");
      const told = (outcome: unknown): void => void late.push((outcome as { error: unknown }).error);
      await ended(timeout(() => fail(2, 5), { timeoutMs: 2, graceMs: 0, onLate: told }));
      await sleep(10);
      throw new AggregateError([error, ...late]);
    },
  },
};
