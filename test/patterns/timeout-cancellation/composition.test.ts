/** The parts nested into each other as functions are, in every order that makes sense, against a server that misbehaves. */
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { constantDelay, exponentialDelay } from "concurrency-model-patterns/schedule";
import { type Task, TaskGroup } from "concurrency-model-patterns/task-group";
import { random } from "concurrency-model-patterns/testing";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import { Bulkhead } from "concurrency-model-patterns/timeout-cancellation/bulkhead";
import { CircuitBreaker } from "concurrency-model-patterns/timeout-cancellation/circuit-breaker";
import { hedge } from "concurrency-model-patterns/timeout-cancellation/hedge";
import { anyOf } from "concurrency-model-patterns/timeout-cancellation/quorum";
import { retry, RetryBudget } from "concurrency-model-patterns/timeout-cancellation/retry";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

/** Answers, fails, or hangs until it is told to end; counts how many calls are under way. */
function server(): { call: Task<string>; active: () => number; most: () => number } {
  let active = 0;
  let most = 0;
  const call = async (ctx: Context): Promise<string> => {
    most = Math.max(most, ++active);
    try {
      const fate = random();
      await sleep(fate < 0.2 ? 10_000 : fate * 30, ctx);
      if (fate < 0.6) throw new Error("busy");
      return "answer";
    } finally {
      active--;
    }
  };
  return { call, active: () => active, most: () => most };
}

function guard(): {
  call: (task: Task<string>, ctx: Context) => Promise<string>;
  bulkhead: Bulkhead;
} {
  const breaker = new CircuitBreaker({ consecutive: 4, openMs: 50 });
  const bulkhead = new Bulkhead({ concurrency: 3, capacity: 4 });
  const budget = new RetryBudget({ share: 0.5 });
  const schedule = exponentialDelay({ firstMs: 5 });
  const call = (task: Task<string>, { signal }: Context): Promise<string> => {
    const limited: Task<string> = ({ signal }) => timeout(task, { timeoutMs: 40, signal });
    const spared: Task<string> = (ctx) => bulkhead.run((ctx) => breaker.run(limited, ctx), ctx);
    const hedged: Task<string> = ({ signal }) => hedge(spared, { afterMs: 20, budget, signal });
    const retried: Task<string> = ({ signal }) => retry(hedged, { attempts: 3, schedule, budget, signal });
    return timeout(retried, { timeoutMs: 150, signal });
  };
  return { call, bulkhead };
}

describe("the parts together", () => {
  inBothRuntimes("settle every call, in time, for a reason that is true, and leave nothing", async () => {
    const { call, active, most } = server();
    const { call: guarded, bulkhead } = guard();
    const controller = new AbortController();
    const shared = withCancel({ signal: controller.signal });
    const reason = new Error("the user has left");
    const kinds: unknown[] = [];
    await TaskGroup.run(async (group) => {
      for (let number = 0; number < 12; number++) {
        group.go(async () => {
          await sleep(random() * 100);
          const startedMs = now();
          const own = withCancel(shared.ctx);
          const gaveUp =
            number % 3 === 0 ? group.go(() => sleep(30).then(() => own.cancel(reason))) : undefined;
          const end = await guarded(call, own.ctx).catch((error: unknown) => error);
          expect(now() - startedMs).toBeLessThanOrEqual(150);
          await gaveUp?.join();
          if (end === reason) expect(gaveUp).not.toBe(undefined);
          own.cancel();
          kinds.push(end === reason ? "left" : ((end as { code?: string }).code ?? String(end)));
        });
      }
    });
    shared.cancel();
    const allowed = new Set<unknown>(["answer", "left", "Error: busy", "TIMEOUT", "FULL", "OPEN"]);
    expect(kinds.filter((kind) => !allowed.has(kind))).toEqual([]);
    expect(kinds).toHaveLength(12);
    expect([active(), bulkhead.active, bulkhead.waiting]).toEqual([0, 0, 0]);
    expect(most()).toBeLessThanOrEqual(3);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  inBothRuntimes("a user's abort is never told as a timeout, however deep it is (a peer does)", async () => {
    const reason = new Error("the user has left");
    const { ctx, cancel } = withCancel(background);
    const { call } = guard();
    const hangs: Task<string> = (own) => sleep(10_000, own).then(() => "never");
    await TaskGroup.run(async (group) => {
      group.go(() => sleep(5).then(() => cancel(reason)));
      expect(await failureOf(call(hangs, ctx))).toBe(reason);
    });
    expect(now()).toBe(5);
  });

  inBothRuntimes("the deadline of the whole is that of the innermost task, through every part", async () => {
    const breaker = new CircuitBreaker();
    const bulkhead = new Bulkhead({ concurrency: 1 });
    const ask: Task<unknown> = ({ signal }) =>
      timeout(({ deadlineMs }) => deadlineMs, { timeoutMs: 999, signal });
    const spared: Task<unknown> = (ctx) => bulkhead.run((ctx) => breaker.run(ask, ctx), ctx);
    const retried: Task<unknown> = ({ signal }) => retry(spared, { signal });
    const hedged: Task<unknown> = ({ signal }) => hedge(retried, { afterMs: 20, signal });
    const whole = timeout(({ signal }) => anyOf([hedged], { signal }), { timeoutMs: 50 });
    expect(await whole).toBe(50);
  });

  inBothRuntimes("a timeout inside is retried, the one outside ends the call", async () => {
    let attempts = 0;
    const hangs = (ctx: Context): Promise<void> => {
      attempts++;
      return timeout((own) => sleep(10_000, own), { timeoutMs: 40, signal: ctx.signal });
    };
    const outer = timeout(
      ({ signal }) => retry(hangs, { attempts: 99, schedule: constantDelay(10), signal }),
      { timeoutMs: 120 },
    );
    expect(await failureOf(outer)).toMatchObject({ code: "TIMEOUT" });
    expect([attempts, now()]).toEqual([3, 120]);
  });
});
