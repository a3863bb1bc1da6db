import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { FullError } from "concurrency-model-patterns/errors";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { Bulkhead } from "concurrency-model-patterns/timeout-cancellation/bulkhead";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf } from "../../support/outcomes.ts";

const slowly = (): Promise<void> => sleep(100);

/** One that runs and others that wait, in a group of their own. */
async function crowded(
  capacity: number,
  body: (bulkhead: Bulkhead, group: TaskGroup) => Promise<void>,
): Promise<void> {
  const bulkhead = new Bulkhead({ concurrency: 1, capacity, name: "users" });
  await TaskGroup.run(async (group) => {
    group.go(() => bulkhead.run(slowly));
    await settle();
    await body(bulkhead, group);
  });
  expect([bulkhead.active, bulkhead.waiting]).toEqual([0, 0]);
}

describe("a bulkhead", () => {
  inBothRuntimes("never runs more than it should, and loses nobody who waits", async () => {
    const bulkhead = new Bulkhead({ concurrency: 3, capacity: 20 });
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await sleep(running);
      running--;
    };
    await TaskGroup.run((group) => {
      for (let call = 0; call < 20; call++) group.go(() => bulkhead.run(task));
    });
    expect([most, bulkhead.active, bulkhead.waiting]).toEqual([3, 0, 0]);
  });

  inBothRuntimes("refuses at once when the line is full, and says so", async () => {
    await crowded(1, async (bulkhead, group) => {
      group.go(() => bulkhead.run(() => "second"));
      await settle();
      const before = now();
      const error = await failureOf(bulkhead.run(() => expect.unreachable()));
      expect(error).toBeInstanceOf(FullError);
      expect((error as Error).message).toBe('bulkhead "users" is full: 1 tasks run and 1 wait');
      expect(now()).toBe(before);
    });
  });

  inBothRuntimes("serves in the order of arrival", async () => {
    const order: number[] = [];
    await crowded(5, async (bulkhead, group) => {
      for (let call = 0; call < 5; call++) {
        group.go(() => bulkhead.run(() => void order.push(call)));
        await settle();
      }
    });
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  inBothRuntimes("one who gives up waiting frees its slot in that instant (a peer keeps it)", async () => {
    await crowded(1, async (bulkhead, group) => {
      const { ctx, cancel } = withCancel(background);
      const reason = new Error("enough");
      const waiting = group.go(() => failureOf(bulkhead.run(() => expect.unreachable(), ctx)));
      await settle();
      expect(bulkhead.waiting).toBe(1);
      cancel(reason);
      expect(bulkhead.waiting).toBe(0);
      const next = group.go(() => bulkhead.run(() => "got in"));
      expect(await waiting.join()).toBe(reason);
      expect(await next.join()).toBe("got in");
    });
  });

  inBothRuntimes(
    "one end for two who wait, and for the one who makes room: nobody runs who should not",
    async () => {
      const bulkhead = new Bulkhead({ concurrency: 1, capacity: 3 });
      const { ctx, cancel } = withCancel(background);
      await TaskGroup.run(async (group) => {
        group.go(() => failureOf(bulkhead.run((own) => sleep(1000, own), ctx)));
        await settle();
        for (let call = 0; call < 2; call++) {
          group.go(() => failureOf(bulkhead.run(() => expect.unreachable(), ctx)));
        }
        await settle();
        const last = group.go(() => bulkhead.run(() => "last"));
        await settle();
        expect(bulkhead.waiting).toBe(3);
        cancel();
        expect(await last.join()).toBe("last");
      });
      expect([bulkhead.active, bulkhead.waiting]).toEqual([0, 0]);
    },
  );

  inBothRuntimes("a task never begins with an ended context; its place goes on to the next", async () => {
    const bulkhead = new Bulkhead({ concurrency: 1, capacity: 3 });
    const { ctx, cancel } = withCancel(background);
    const failures: unknown[] = [];
    await TaskGroup.run(async (group) => {
      group.go(() => bulkhead.run(slowly));
      await settle();
      const task = (own: Context): void => expect(own.error).toBe(undefined);
      group.go(() => bulkhead.run(task, ctx).catch((error: unknown) => failures.push(error)));
      group.go(() => sleep(99).then(() => cancel()));
      await settle();
      expect(await bulkhead.run(() => "last")).toBe("last");
    });
    expect(failures.filter((error) => error !== ctx.cause)).toEqual([]);
    expect([bulkhead.active, bulkhead.waiting]).toEqual([0, 0]);
  });

  inBothRuntimes("passes errors on, and has its place back after each", async () => {
    const bulkhead = new Bulkhead({ concurrency: 1 });
    const broken = new Error("broken");
    for (let call = 0; call < 3; call++) {
      const throws = (): never => {
        throw broken;
      };
      expect(await failureOf(bulkhead.run(throws))).toBe(broken);
      expect(bulkhead.active).toBe(0);
    }
  });

  test("a signal that has aborted already: its reason, and the task is not run", async () => {
    const bulkhead = new Bulkhead({ concurrency: 1 });
    const reason = { any: "thing" };
    const call = bulkhead.run(() => expect.unreachable(), { signal: AbortSignal.abort(reason) });
    expect(await failureOf(call)).toBe(reason);
    const bad = { signal: "x" as unknown as AbortSignal };
    expect(await failureOf(bulkhead.run(() => 1, bad))).toBeInstanceOf(TypeError);
    const { signal } = new AbortController();
    for (let again = 0; again < 20; again++) await bulkhead.run(() => 1, { signal });
    expect([bulkhead.active, listenersOf(signal)]).toEqual([0, 0]);
  });

  test("refuses bad arguments at the call, by name", () => {
    expect(() => new Bulkhead({ concurrency: 0 })).toThrow(/concurrency/);
    expect(() => new Bulkhead({ concurrency: 1, capacity: -1 })).toThrow(/capacity/);
    expect(() => new Bulkhead({ concurrency: 1 }).run("x" as unknown as () => void)).toThrow(/task/);
  });
});
