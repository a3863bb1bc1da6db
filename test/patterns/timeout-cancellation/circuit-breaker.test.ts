import { AsyncLocalStorage } from "node:async_hooks";
import { background, withCancel } from "concurrency-model-patterns/context";
import { CanceledError } from "concurrency-model-patterns/errors";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import {
  type BreakerState,
  CircuitBreaker,
  type CircuitBreakerOptions,
  CircuitOpenError,
} from "concurrency-model-patterns/timeout-cancellation/circuit-breaker";
import { now, sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Circuit,
  type CircuitEvent,
  type CircuitRules,
  closedCircuit,
  nextState,
} from "../../../src/patterns/timeout-cancellation/circuit.ts";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { plainly } from "../../support/idle-clock.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

describe("a circuit, without a clock", () => {
  type Row = readonly [nowMs: number, event: CircuitEvent, state: BreakerState];

  /** Takes the steps, and gives the rows as they turned out. */
  function replay(rules: Partial<CircuitRules>, rows: readonly Row[]): readonly Row[] {
    const all: CircuitRules = { consecutive: 3, rate: undefined, openMs: 100, ...rules };
    let circuit = closedCircuit(0);
    return rows.map(([nowMs, event]) => {
      circuit = nextState(circuit, event, nowMs, all);
      return [nowMs, event, circuit.state];
    });
  }

  const rate = { share: 0.5, windowMs: 100, minCalls: 4 };
  const byRate = { consecutive: Number.POSITIVE_INFINITY, rate };
  const opened: readonly Row[] = [
    [0, "failed", "closed"],
    [0, "failed", "closed"],
    [0, "failed", "open"],
    [99, "asked", "open"],
    [100, "asked", "half-open"],
  ];

  const table: readonly (readonly [string, Partial<CircuitRules>, readonly Row[]])[] = [
    [
      "opens after so many failures in a row; a success in between begins anew",
      {},
      [
        [0, "failed", "closed"],
        [0, "failed", "closed"],
        [1, "succeeded", "closed"],
        [2, "failed", "closed"],
        [3, "left", "closed"],
        [3, "failed", "closed"],
        [4, "failed", "open"],
      ],
    ],
    [
      "lets one through when its time has passed, which closes it",
      {},
      [...opened, [101, "asked", "half-open"], [110, "succeeded", "closed"], [111, "failed", "closed"]],
    ],
    [
      "opens again for as long if that one fails",
      {},
      [...opened, [110, "failed", "open"], [209, "asked", "open"], [210, "asked", "half-open"]],
    ],
    [
      "lets the next one through at once if the probe was given up",
      {},
      [...opened, [110, "left", "open"], [110, "asked", "half-open"]],
    ],
    [
      "opens when the share of failures is reached, and there are enough calls",
      byRate,
      [
        [0, "failed", "closed"],
        [1, "failed", "closed"],
        [2, "succeeded", "closed"],
        [3, "failed", "open"],
      ],
    ],
    [
      "does not open below the share",
      byRate,
      [
        [0, "succeeded", "closed"],
        [0, "succeeded", "closed"],
        [0, "succeeded", "closed"],
        [1, "failed", "closed"],
        [2, "failed", "closed"],
        [3, "failed", "open"],
      ],
    ],
    [
      "forgets what is older than its window",
      byRate,
      [
        [0, "failed", "closed"],
        [1, "failed", "closed"],
        [2, "failed", "closed"],
        [101, "failed", "closed"],
        [102, "failed", "closed"],
        [149, "failed", "closed"],
        [150, "failed", "open"],
      ],
    ],
  ];

  test.each(table)("%s", (_name, rules, rows) => {
    expect(replay(rules, rows)).toEqual(rows);
  });

  test("does not wait for a probe that never comes back", () => {
    const rules: CircuitRules = { consecutive: 1, rate: undefined, openMs: 100 };
    const probing: Circuit = { state: "half-open", untilMs: 200 };
    expect(nextState(probing, "asked", 199, rules)).toBe(probing);
    expect(nextState(probing, "asked", 200, rules)).toEqual({ state: "half-open", untilMs: 300 });
  });

  test("counts every call of the last half window and none older than a whole one, whatever happens", () => {
    const step = fc.tuple(fc.nat(60), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rules: CircuitRules = { consecutive: Number.POSITIVE_INFINITY, rate, openMs: 100 };
        let circuit = closedCircuit(0);
        let nowMs = 0;
        const failures: number[] = [];
        for (const [passedMs, failed] of steps) {
          nowMs += passedMs;
          if (circuit.state !== "closed") return;
          circuit = nextState(circuit, failed ? "failed" : "succeeded", nowMs, {
            ...rules,
            rate: { ...rate, minCalls: Number.MAX_SAFE_INTEGER },
          });
          if (failed) failures.push(nowMs);
          if (circuit.state !== "closed") throw new Error("it has no reason to open");
          const counted = circuit.recent.before.failures + circuit.recent.current.failures;
          const within = (spanMs: number): number => failures.filter((atMs) => atMs > nowMs - spanMs).length;
          expect(counted).toBeGreaterThanOrEqual(within(50));
          expect(counted).toBeLessThanOrEqual(within(100));
        }
      }),
    );
  });
});

const broken = new Error("no route to host");
const fails = (): Promise<never> => Promise.reject(broken);

async function open(options: CircuitBreakerOptions = {}): Promise<CircuitBreaker> {
  const breaker = new CircuitBreaker({ consecutive: 2, openMs: 100, ...options });
  for (let call = 0; call < 2; call++) expect(await failureOf(breaker.run(fails))).toBe(broken);
  expect(breaker.state).toBe("open");
  return breaker;
}

describe("a circuit breaker", () => {
  inBothRuntimes(
    "refuses while it is open, without running the task, and says for how long and why",
    async () => {
      const breaker = await open({ name: "users" });
      await sleep(30);
      const error = await failureOf(breaker.run(() => expect.unreachable()));
      expect(error).toBeInstanceOf(CircuitOpenError);
      expect(error).toMatchObject({
        code: "OPEN",
        message: 'circuit "users" is open',
        retryAfterMs: 70,
        cause: broken,
      });
    },
  );

  inBothRuntimes("lets one call through when its time has passed, whatever the crowd", async () => {
    const breaker = await open();
    await sleep(100);
    let ran = 0;
    const slowly = async (): Promise<string> => {
      ran++;
      await sleep(10);
      return "well";
    };
    const calls = Array.from({ length: 5 }, () => breaker.run(slowly));
    const ends = await Promise.allSettled(calls);
    expect(ran).toBe(1);
    expect(ends.map(({ status }) => status).toSorted()).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "rejected",
      "rejected",
    ]);
    expect(breaker.state).toBe("closed");
    expect(await breaker.run(() => "again")).toBe("again");
  });

  inBothRuntimes("opens again if the probe fails, and the probe's failure is then the cause", async () => {
    const breaker = await open();
    await sleep(100);
    const still = new Error("still down");
    expect(await failureOf(breaker.run(() => Promise.reject(still)))).toBe(still);
    expect(await failureOf(breaker.run(fails))).toMatchObject({ retryAfterMs: 100, cause: still });
  });

  inBothRuntimes(
    "a probe that is given up does not keep the breaker half-open: the next call is one",
    async () => {
      const breaker = await open();
      await sleep(100);
      const reason = new Error("the user has left");
      const { ctx, cancel } = withCancel(background);
      await TaskGroup.run(async (group) => {
        group.go(() => sleep(10).then(() => cancel(reason)));
        expect(await failureOf(breaker.run((own) => sleep(1000, own), ctx))).toBe(reason);
      });
      expect(await breaker.run(() => "well")).toBe("well");
      expect(breaker.state).toBe("closed");
    },
  );

  inBothRuntimes("what comes back from before it opened neither closes it nor counts", async () => {
    const breaker = new CircuitBreaker({ consecutive: 2, openMs: 100 });
    await TaskGroup.run(async (group) => {
      const old = group.go(() => breaker.run(() => sleep(150)));
      const older = group.go(() => failureOf(breaker.run(() => sleep(120).then(fails))));
      await sleep(1);
      for (let call = 0; call < 2; call++) await failureOf(breaker.run(fails));
      await sleep(100);
      const probe = group.go(() => breaker.run(() => sleep(500)));
      await older.join();
      await old.join();
      expect(breaker.state).toBe("half-open");
      expect(await failureOf(breaker.run(() => "early"))).toMatchObject({ code: "OPEN" });
      // The probe is late: another one may try, and it is that one which counts.
      await sleep(100);
      expect(await breaker.run(() => "well")).toBe("well");
      expect(breaker.state).toBe("closed");
      await probe.join();
    });
  });

  inBothRuntimes(
    "a probe that was late is too late: only the one that has taken its place counts",
    async () => {
      const breaker = await open();
      await sleep(100);
      await TaskGroup.run(async (group) => {
        const late = group.go(() => failureOf(breaker.run(() => sleep(150).then(fails))));
        await sleep(100);
        const probe = group.go(() => breaker.run(() => sleep(100)));
        await late.join();
        expect(breaker.state).toBe("half-open");
        await probe.join();
        expect(breaker.state).toBe("closed");
      });
    },
  );

  test("cancellations do not count, deadlines do, also those of the caller", async () => {
    await simulate(async () => {
      const breaker = new CircuitBreaker({ consecutive: 2 });
      for (let call = 0; call < 5; call++) {
        const { ctx, cancel } = withCancel(background);
        cancel(new Error("enough"));
        await failureOf(breaker.run(() => "not run", ctx));
        const leaves = withCancel(background);
        const wrapped = breaker.run((own) => {
          leaves.cancel();
          throw new Error("query failed", { cause: own.error });
        }, leaves.ctx);
        expect(await failureOf(wrapped)).toMatchObject({ cause: { code: "CANCELED" } });
        await failureOf(breaker.run(() => Promise.reject(new CanceledError())));
        await failureOf(breaker.run(() => Promise.reject(new DOMException("stop", "AbortError"))));
      }
      expect(breaker.state).toBe("closed");
      for (let call = 0; call < 2; call++) {
        const limited = timeout((ctx) => breaker.run((own) => sleep(1000, own), ctx), { timeoutMs: 10 });
        expect(await failureOf(limited)).toMatchObject({ code: "TIMEOUT" });
      }
      expect(breaker.state).toBe("open");
    });
  });

  test("an error that does not concern `when` is thrown all the same, and counts as an answer", async () => {
    const breaker = new CircuitBreaker({ consecutive: 2, when: (error) => error === broken });
    const missing = new Error("404");
    await failureOf(breaker.run(fails));
    expect(await failureOf(breaker.run(() => Promise.reject(missing)))).toBe(missing);
    await failureOf(breaker.run(fails));
    expect(breaker.state).toBe("closed");
  });

  test("a `when` that throws loses neither error, and does not hold the place of the probe", async () => {
    await plainly(async () => {
      const mistake = new Error("broken predicate");
      let asked = 0;
      const when = (): boolean => {
        if (++asked === 3) throw mistake;
        return true;
      };
      const breaker = await open({ when });
      await sleep(100);
      const error = await failureOf(breaker.run(fails));
      expect(error).toBe(mistake);
      expect(error).toMatchObject({ suppressed: [broken] });
      expect(await breaker.run(() => "well")).toBe("well");
    });
  });

  test("tells its changes in the async context of its maker, and in the event log", async () => {
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        const onChange = (state: BreakerState): void => void seen.push([state, store.getStore()]);
        const breaker = store.run(
          "maker",
          () => new CircuitBreaker({ consecutive: 1, openMs: 100, onChange }),
        );
        await store.run("caller", async () => {
          await failureOf(breaker.run(fails));
          await sleep(100);
          await breaker.run(() => "well");
        });
      },
      { onEvent: (event) => events.push(event) },
    );
    expect(seen).toEqual(["open", "half-open", "closed"].map((state) => [state, "maker"]));
    const texts = events.flatMap((event) => (event.k === "warn" ? [event.text] : []));
    expect(texts).toEqual(["circuit is open", "circuit is half-open", "circuit is closed"]);
  });

  inBothRuntimes("leaves no listener and keeps the reason, before and while it runs", async () => {
    const { signal } = new AbortController();
    const breaker = new CircuitBreaker();
    for (let call = 0; call < 20; call++) await breaker.run(() => call, { signal });
    expect(listenersOf(signal)).toBe(0);
    const reason = { any: "thing" };
    expect(await failureOf(breaker.run(() => 1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(now()).toBe(0);
  });

  test("refuses bad arguments at the call, by name", () => {
    const make = (options: object) => () => new CircuitBreaker(options);
    expect(make({ consecutive: 0 })).toThrow(/consecutive/);
    expect(make({ openMs: 0 })).toThrow(/openMs/);
    expect(make({ rate: { share: 1.5, windowMs: 1, minCalls: 1 } })).toThrow(/rate.share/);
    expect(make({ rate: { share: 1, windowMs: 0, minCalls: 1 } })).toThrow(/rate.windowMs/);
    expect(make({ rate: { share: 1, windowMs: 1 } })).toThrow(/rate.minCalls/);
    expect(make({ when: 1 })).toThrow(/when/);
    expect(make({ onChange: 1 })).toThrow(/onChange/);
    expect(() => new CircuitBreaker().run(1 as unknown as () => void)).toThrow(/task/);
  });
});
