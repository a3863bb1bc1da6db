import { Channel } from "concurrency-model-patterns/channel";
import {
  afterFunc,
  background,
  type Context,
  ContextKey,
  withCancel,
  withDeadline,
  withoutCancel,
  withTimeout,
  withValue,
} from "concurrency-model-patterns/context";
import { done, receive, select } from "concurrency-model-patterns/select";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { now, sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CancellationCarrier, cancellationKey } from "../../src/core/cancellation.ts";
import type { Scope } from "../../src/core/scope.ts";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended } from "../support/outcomes.ts";
import { uncaughtIn } from "../support/uncaught.ts";

const parents = new Error("of the parent");
const childs = new Error("of the child");
const slow = new Error("too slow");
const raise = (error: Error): never => {
  throw error;
};
const key = new ContextKey<number>("n");

/** A child and its parent, for a row that ends them in some order. */
function family(end: (parent: (cause?: unknown) => void, child: (cause?: unknown) => void) => void): Context {
  const parent = withCancel(background);
  const child = withCancel(withValue(parent.ctx, key, 1));
  end(parent.cancel, child.cancel);
  return child.ctx;
}

/** A child of a parent that has ended because of `cause`. */
function orphan(derive: (parent: Context) => Context): Context {
  const { ctx, cancel } = withCancel(background);
  cancel(parents);
  return derive(ctx);
}

/** What a context says once it has been cancelled for `cause`. */
function after({ ctx, cancel }: ReturnType<typeof withCancel>, cause?: unknown): Context {
  cancel(cause);
  return ctx;
}

const expired = (): Context => withTimeout(background, 0, { cause: slow }).ctx;

describe("Context: the end and its cause, as in Go", () => {
  test.each<[string, () => Context, "CANCELED" | "TIMEOUT" | undefined, unknown]>([
    ["the background", () => background, undefined, undefined],
    ["a value in the background", () => withValue(background, key, 1), undefined, undefined],
    ["cancelled", () => after(withCancel(background)), "CANCELED", "itself"],
    ["cancelled for a cause", () => after(withCancel(background), childs), "CANCELED", childs],
    ["parent, then child", () => family((p, c) => [p(parents), c(childs)]), "CANCELED", parents],
    ["child, then parent", () => family((p, c) => [c(childs), p(parents)]), "CANCELED", childs],
    ["child without a cause, then parent", () => family((p, c) => [c(), p(parents)]), "CANCELED", "itself"],
    ["parent without a cause, then child", () => family((p, c) => [p(), c(childs)]), "CANCELED", "itself"],
    ["timed out", () => withTimeout(background, 0).ctx, "TIMEOUT", "itself"],
    ["timed out for a cause", expired, "TIMEOUT", slow],
    ["timed out, then cancelled", () => after(withTimeout(background, 0), childs), "TIMEOUT", "itself"],
    ["cancelled in time", () => after(withTimeout(background, 1e6, { cause: slow })), "CANCELED", "itself"],
    [
      "cancelled in time for a cause",
      () => after(withTimeout(background, 1e6, { cause: slow }), childs),
      "CANCELED",
      childs,
    ],
    [
      "born with a deadline after its parent's end",
      () => orphan((parent) => withDeadline(parent, now() + 1e6, { cause: slow }).ctx),
      "CANCELED",
      parents,
    ],
    [
      "born too late, and after its parent's end",
      () => orphan((parent) => withTimeout(parent, 0, { cause: slow }).ctx),
      "CANCELED",
      parents,
    ],
    ["a child of one that timed out", () => withCancel(expired()).ctx, "TIMEOUT", slow],
    ["a value in one that timed out", () => withValue(expired(), key, 1), "TIMEOUT", slow],
    ["detached from a cancelled one", () => orphan(withoutCancel), undefined, undefined],
    ["detached from one that timed out", () => withoutCancel(expired()), undefined, undefined],
    [
      "detached, and cancelled itself",
      () => orphan((parent) => after(withCancel(withoutCancel(parent)), childs)),
      "CANCELED",
      childs,
    ],
  ])("%s", (_, make, code, cause) => {
    const ctx = make();
    expect(ctx.error?.code).toBe(code);
    expect(ctx.cause).toBe(cause === "itself" ? ctx.error : cause);
    expect([ctx.signal.aborted, ctx.signal.reason]).toEqual([code !== undefined, ctx.cause]);
  });
});

/** Whether the context remembers anybody whom it would have to tell of its end. */
function watched(ctx: Context): boolean | undefined {
  return ((ctx as CancellationCarrier)[cancellationKey] as Scope | undefined)?.watched;
}

describe("Context: whom it remembers", () => {
  test.each<[string, (parent: Context) => unknown]>([
    ["a child that was cancelled", (parent) => withCancel(parent).cancel()],
    ["a child whose deadline came", (parent) => withTimeout(parent, 0)],
    ["a child that was disposed of", (parent) => withTimeout(parent, 1e6)[Symbol.dispose]()],
    ["a child of a value that was cancelled", (parent) => withCancel(withValue(parent, key, 1)).cancel()],
    ["a detached child", (parent) => withCancel(withoutCancel(parent))],
    ["a value", (parent) => withValue(parent, key, 1)],
    ["a callback that was taken back", (parent) => afterFunc(parent, () => {})()],
    ["a task group that has ended", (parent) => TaskGroup.run((group) => group.go(() => 1).join(), parent)],
    ["a sleep that is over", (parent) => sleep(0, parent)],
    ["a deadline that has passed meanwhile", (parent) => sleep(5, withTimeout(parent, 1).ctx)],
    [
      "a receive that got its value",
      (parent) => {
        const channel = new Channel<number>();
        const received = channel.receive(parent);
        channel.trySend(1);
        return received;
      },
    ],
    [
      "a select that chose something else than its end",
      (parent) => {
        const channel = new Channel<number>();
        const chosen = select({ value: receive(channel), end: done(parent) }, parent);
        channel.trySend(1);
        return chosen;
      },
    ],
    [
      "an acquire that got its permit",
      async (parent) => {
        const semaphore = new Semaphore(1);
        const release = semaphore.tryAcquire();
        const acquired = semaphore.acquire(1, parent);
        release?.();
        (await acquired)();
      },
    ],
  ])("is not %s", async (_, leave) => {
    const { ctx, cancel } = withCancel(background);
    const child = withCancel(ctx);
    expect(watched(ctx)).toBe(true);
    child.cancel();
    await ended(Promise.resolve(leave(ctx)));
    expect(watched(ctx)).toBe(false);
    expect(ctx.error).toBeUndefined();
    cancel();
  });
});

describe("Context: many ends at once", () => {
  test("each of a tree of 100 ends once, also if each end cancels another one", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 100, maxLength: 100 }), (links) => {
        const scopes = [withCancel(background)];
        for (const [above] of links)
          scopes.push(withCancel(scopes[above % scopes.length]?.ctx ?? background));
        const told = scopes.map(() => 0);
        for (const [index, { ctx }] of scopes.entries()) {
          ctx.signal.addEventListener("abort", () => {
            told[index] = (told[index] ?? 0) + 1;
            const [, next = 0] = links[index % links.length] ?? [];
            scopes[next % scopes.length]?.cancel(index);
          });
        }
        for (const { cancel } of scopes.toReversed()) cancel("from outside");
        expect(new Set(told)).toEqual(new Set([1]));
        expect(scopes.every(({ ctx }) => ctx.error?.code === "CANCELED")).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("thirty layers of all kinds end together, and those that have a value keep it", () => {
    const kinds = fc.array(fc.constantFrom("value", "cancel", "timeout"), { minLength: 30, maxLength: 60 });
    fc.assert(
      fc.property(kinds, fc.nat(), (layers, raw) => {
        const cancels: ((cause?: unknown) => void)[] = [];
        let ctx = withValue(background, key, -1);
        let value = -1;
        for (const [index, kind] of layers.entries()) {
          if (kind === "value") ctx = withValue(ctx, key, (value = index));
          else {
            const scope = kind === "cancel" ? withCancel(ctx) : withTimeout(ctx, 1e6);
            cancels.push(scope.cancel);
            ({ ctx } = scope);
          }
        }
        const first = cancels.length === 0 ? undefined : raw % cancels.length;
        if (first !== undefined) cancels[first]?.("first");
        for (const cancel of cancels) cancel("later");
        expect([ctx.cause, ctx.value(key)]).toEqual([first === undefined ? undefined : "first", value]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("afterFunc", () => {
  inBothRuntimes(
    "is not prevented, nor waited for, by a stop that comes while it runs",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const gate = new Channel<never>();
      const trail: string[] = [];
      const stop = afterFunc(ctx, async () => {
        trail.push("begins");
        await gate.receive();
        trail.push("ends");
      });
      cancel();
      await settle();
      expect([stop(), trail]).toEqual([false, ["begins"]]);
      gate.close();
      await settle();
      expect(trail).toEqual(["begins", "ends"]);
    },
    10,
  );

  test.each<[string, () => Promise<void>]>([
    ["throws", () => raise(slow)],
    ["rejects later", () => sleep(1).then(() => raise(slow))],
  ])("tells the host when its callback %s, and calls the others all the same", async (_, callback) => {
    const { ctx, cancel } = withCancel(background);
    let calls = 0;
    const uncaught = await uncaughtIn(async () => {
      afterFunc(ctx, callback);
      afterFunc(ctx, () => void calls++);
      cancel();
      await sleep(5);
    });
    expect([uncaught, calls]).toEqual([[slow], 1]);
  });
});
