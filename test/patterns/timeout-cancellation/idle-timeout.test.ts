import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { TimeoutError } from "concurrency-model-patterns/errors";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { idleTimeout } from "concurrency-model-patterns/timeout-cancellation/idle-timeout";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";
import { plainly } from "../../support/idle-clock.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

/** Gives the numbers from 0, each after one of the delays; tells when it has finished. */
function talking(...delays: readonly number[]): {
  source: (ctx: Context) => AsyncGenerator<number>;
  ended: unknown[];
} {
  const ended: unknown[] = [];
  async function* source(ctx: Context): AsyncGenerator<number> {
    try {
      for (const [index, delayMs] of delays.entries()) {
        await sleep(delayMs, ctx);
        yield index;
      }
    } finally {
      ended.push(ctx.error?.code);
    }
  }
  return { source, ended };
}

describe("an idle timeout", () => {
  inBothRuntimes("lets a stream through that is never silent for too long, however long it is", async () => {
    const { source, ended } = talking(...Array.from({ length: 20 }, () => 9));
    expect(await idleTimeout(source, 10).toArray()).toHaveLength(20);
    expect([now(), ended]).toEqual([180, [undefined]]);
  });

  inBothRuntimes("ends one that falls silent with a TimeoutError, once the source has let go", async () => {
    const { source, ended } = talking(5, 5, 50);
    const heard: number[] = [];
    const error = await failureOf(idleTimeout(source, 10).forEach((value) => void heard.push(value)));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ message: "no value came for 10 ms", phase: "idle" });
    expect([heard, now(), ended]).toEqual([[0, 1], 20, ["TIMEOUT"]]);
  });

  inBothRuntimes("does the same with a channel, which keeps what comes later", async () => {
    const words = new Channel<string>(1);
    expect(await failureOf(idleTimeout(words, 10).toArray())).toBeInstanceOf(TimeoutError);
    expect(words.trySend("late")).toBe(true);
    expect(words.size).toBe(1);
  });

  inBothRuntimes("does not count the time that the reader takes", async () => {
    const { source } = talking(1, 1, 1);
    const seen: number[] = [];
    for await (const value of idleTimeout(source, 10)) {
      await sleep(500);
      seen.push(value);
    }
    expect(seen).toEqual([0, 1, 2]);
  });

  inBothRuntimes("passes a failure of the source on as it is", async () => {
    const broken = new Error("broken");
    async function* source(): AsyncGenerator<number> {
      yield 1;
      await sleep(1);
      throw broken;
    }
    expect(await failureOf(idleTimeout(source(), 10).toArray())).toBe(broken);
  });

  inBothRuntimes("ends with the signal's reason, not with a timeout, and leaves nothing", async () => {
    const reason = new Error("enough");
    const { ctx, cancel } = withCancel(background);
    const { source, ended } = talking(5, 1000);
    const error = await TaskGroup.run(async (group) => {
      group.go(() => sleep(12).then(() => cancel(reason)));
      return failureOf(idleTimeout(source, 10, { signal: ctx.signal }).toArray());
    });
    expect(error).toBe(reason);
    expect([now(), ended]).toEqual([12, ["CANCELED"]]);
  });

  test("leaving the loop finishes the source; no timer is left, however the flow ends", async () => {
    const { source, ended } = talking(1, 1, 1);
    const events: RunEvent[] = [];
    await simulate(
      async () => {
        for await (const value of idleTimeout(source, 1000)) if (value === 1) break;
        await failureOf(idleTimeout(new Channel(), 1000).toArray());
        await idleTimeout(source, 1000).toArray();
      },
      { onEvent: (event) => events.push(event) },
    );
    expect(ended).toHaveLength(2);
    const count = (k: string): number => events.filter((event) => event.k === k).length;
    expect(count("timer.set")).toBe(count("timer.fire") + count("timer.clear"));
  });

  test("leaves no listener on the signal, and refuses a limit that is no number", async () => {
    const { signal } = new AbortController();
    await plainly(async () => {
      for (let call = 0; call < 10; call++) await idleTimeout([1, 2], 10, { signal }).toArray();
    });
    expect(listenersOf(signal)).toBe(0);
    expect(() => idleTimeout([], Number.NaN)).toThrow(/idleMs/);
  });
});
