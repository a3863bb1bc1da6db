import { AsyncLocalStorage } from "node:async_hooks";
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
import { Channel } from "concurrency-model-patterns/channel";
import { CanceledError, TimeoutError } from "concurrency-model-patterns/errors";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { hostTimers, listenersOf } from "../support/listeners.ts";
import { failureOf, thrownBy } from "../support/outcomes.ts";

const mine = new Error("mine");

describe("Context: the end", () => {
  test("reaches every descendant before `cancel` returns; parent and siblings are untouched", () => {
    const root = withCancel(background);
    const left = withCancel(root.ctx);
    const right = withCancel(root.ctx);
    const below = withValue(withTimeout(withCancel(left.ctx).ctx, 1e6).ctx, new ContextKey<number>("n"), 1);
    left.cancel(mine);
    expect([left.ctx.cause, below.cause]).toEqual([mine, mine]);
    expect(below.error?.message).toBe("context canceled");
    expect(below.signal.aborted).toBe(true);
    expect([root.ctx.error, right.ctx.error]).toEqual([undefined, undefined]);
  });

  test("finds the whole subtree ended, whoever is told first", () => {
    const root = withCancel(background);
    const nodes = [root.ctx];
    for (let n = 0; n < 10; n++) nodes.push(withCancel(nodes[Math.floor(n / 2)] as Context).ctx);
    const seen: boolean[] = [];
    for (const node of nodes) {
      node.signal.addEventListener("abort", () => seen.push(nodes.every(({ error }) => error !== undefined)));
    }
    root.cancel();
    expect(seen).toEqual(Array(11).fill(true));
  });

  test.each<[string, () => { ctx: Context; cancel: (cause?: unknown) => void }, unknown, string, unknown]>([
    ["cancel()", () => withCancel(background), undefined, "context canceled", "error"],
    ["cancel(X)", () => withCancel(background), mine, "context canceled", mine],
    [
      "a deadline that has passed",
      () => withTimeout(background, 0),
      undefined,
      "context deadline exceeded",
      "error",
    ],
    ["a negative timeout", () => withTimeout(background, -5), mine, "context deadline exceeded", "error"],
    [
      "a cause of its own",
      () => withTimeout(background, 0, { cause: mine }),
      undefined,
      "context deadline exceeded",
      mine,
    ],
    [
      "cancel before a deadline with a cause",
      () => withTimeout(background, 1e6, { cause: new Error("no") }),
      mine,
      "context canceled",
      mine,
    ],
  ])("says why: %s", (_, make, cause, message, expected) => {
    const { ctx, cancel } = make();
    cancel(cause);
    cancel(new Error("too late"));
    expect(ctx.error?.message).toBe(message);
    expect(ctx.cause).toBe(expected === "error" ? ctx.error : expected);
    expect(ctx.signal.reason).toBe(ctx.cause);
  });

  test("has neither error nor cause before it comes", () => {
    const { ctx, cancel } = withTimeout(background, 1e6, { cause: mine });
    expect([ctx.error, ctx.cause, ctx.signal.aborted]).toEqual([undefined, undefined, false]);
    cancel();
  });

  test("of a cancelled context is a cancellation, also if the cause is a timeout of something else", () => {
    const { ctx, cancel } = withCancel(background);
    const timeout = new TimeoutError("the database took too long");
    cancel(timeout);
    expect([ctx.error?.code, ctx.cause]).toEqual(["CANCELED", timeout]);
  });

  test("by the deadline is a timeout, also if its cause is a cancellation of something else", () => {
    const cause = new CanceledError("the user left");
    const { ctx } = withTimeout(background, 0, { cause });
    expect([ctx.error?.code, ctx.cause]).toEqual(["TIMEOUT", cause]);
  });

  inBothRuntimes(
    "that comes first stays for ever",
    async () => {
      const early = withTimeout(background, 1);
      await sleep(3);
      early.cancel(mine);
      expect([early.ctx.error?.message, early.ctx.cause]).toEqual([
        "context deadline exceeded",
        early.ctx.error,
      ]);
      const late = withTimeout(background, 2);
      late.cancel(mine);
      await sleep(4);
      expect([late.ctx.error?.message, late.ctx.cause]).toEqual(["context canceled", mine]);
    },
    20,
  );

  test("of a parent is inherited at birth: error and cause", () => {
    const parent = withCancel(background);
    parent.cancel(mine);
    const before = hostTimers();
    for (const child of [
      withCancel(parent.ctx).ctx,
      withTimeout(parent.ctx, 1e6).ctx,
      withDeadline(parent.ctx, 0).ctx,
    ]) {
      expect([child.error, child.cause]).toEqual([parent.ctx.error, mine]);
    }
    expect(hostTimers()).toBe(before);
  });

  test("comes with `using`", () => {
    let escaped: Context | undefined;
    {
      using scope = withCancel(background);
      escaped = scope.ctx;
      expect(escaped.error).toBeUndefined();
    }
    expect(escaped.error?.code).toBe("CANCELED");
  });

  test("rejects those who wait with the cause", async () => {
    const { ctx, cancel } = withCancel(background);
    const waiting = failureOf(new Channel<number>().receive(ctx));
    cancel(mine);
    expect(await waiting).toBe(mine);
  });

  test("reaches those who wait in the order in which they came", async () => {
    const { ctx, cancel } = withCancel(background);
    const order: number[] = [];
    const channel = new Channel<number>();
    const waits = [1, 2, 3].map((n) => channel.receive(ctx).catch(() => order.push(n)));
    cancel();
    await Promise.all(waits);
    expect(order).toEqual([1, 2, 3]);
  });
});

describe("Context: the deadline", () => {
  test("also holds for who is handed the mere signal, and for all below", () => {
    const outer = withTimeout(background, 1000);
    const below = withCancel({ signal: outer.ctx.signal });
    expect(below.ctx.deadlineMs).toBe(outer.ctx.deadlineMs);
    const before = hostTimers();
    const later = withTimeout({ signal: below.ctx.signal }, 5000);
    expect([later.ctx.deadlineMs, hostTimers()]).toEqual([outer.ctx.deadlineMs, before]);
    const detached = withCancel({ signal: withoutCancel(outer.ctx).signal });
    expect(detached.ctx.deadlineMs).toBeUndefined();
    detached.cancel();
    outer.cancel();
  });

  test("is the earlier of the parent's and its own; then no timer is set for the later", () => {
    const start = hostTimers();
    const parent = withDeadline(background, now() + 1000);
    expect(hostTimers()).toBe(start + 1);
    const later = withDeadline(parent.ctx, now() + 5000);
    expect([hostTimers(), later.ctx.deadlineMs]).toEqual([start + 1, parent.ctx.deadlineMs]);
    const earlier = withDeadline(parent.ctx, now() + 500);
    expect(hostTimers()).toBe(start + 2);
    expect(earlier.ctx.deadlineMs).toBeLessThan(parent.ctx.deadlineMs ?? 0);
    parent.cancel();
    expect(hostTimers()).toBe(start);
  });

  test("goes along with the signal of a context, and there is none behind a foreign one", () => {
    using parent = withDeadline(background, now() + 1000);
    const { signal } = parent.ctx;
    using child = withCancel({ signal });
    using later = withTimeout({ signal }, 5000);
    using foreign = withCancel({ signal: new AbortController().signal });
    const { deadlineMs } = parent.ctx;
    expect([child.ctx.deadlineMs, later.ctx.deadlineMs]).toEqual([deadlineMs, deadlineMs]);
    expect([foreign.ctx.deadlineMs, withoutCancel(child.ctx).deadlineMs]).toEqual([undefined, undefined]);
  });

  test.each([
    [withCancel(background).ctx, undefined],
    [background, undefined],
  ])("is undefined if there is none", (ctx, expected) => {
    expect(ctx.deadlineMs).toBe(expected);
  });

  test("is exact in virtual time, also a year ahead, and Infinity never comes", async () => {
    const year = 365 * 24 * 3600 * 1000;
    await simulate(async () => {
      const { ctx } = withTimeout(background, year);
      const never = withTimeout(background, Number.POSITIVE_INFINITY);
      expect(await failureOf(sleep(2 * year, ctx))).toBeInstanceOf(TimeoutError);
      expect([now(), ctx.error?.code]).toEqual([year, "TIMEOUT"]);
      expect(never.ctx.error).toBeUndefined();
      never.cancel();
    });
  });

  inBothRuntimes(
    "of a child that is cancelled leaves no timer",
    async () => {
      const { ctx, cancel } = withTimeout(background, 1e6);
      cancel();
      expect(ctx.error?.code).toBe("CANCELED");
      const { cancel: cancelParent, ctx: parent } = withCancel(background);
      withTimeout(parent, 1e6);
      cancelParent();
      await settle();
    },
    5,
  );

  test("of a child leaves no timer in the log of a simulation", async () => {
    const events: RunEvent[] = [];
    await simulate(
      () => {
        const parent = withCancel(background);
        withTimeout(parent.ctx, 1e6);
        parent.cancel();
      },
      { onEvent: (event) => events.push(event) },
    );
    expect(events.filter(({ k }) => k.startsWith("timer")).map(({ k }) => k)).toEqual([
      "timer.set",
      "timer.clear",
    ]);
  });
});

describe("Context: values", () => {
  const a = new ContextKey<string | null | undefined>("same name");
  const b = new ContextKey<string>("same name");

  test("are found at the nearest ancestor that holds the key, by identity", () => {
    const outer = withValue(withValue(background, a, "outer"), b, "other");
    const inner = withValue(withCancel(outer).ctx, a, "inner");
    expect([inner.value(a), inner.value(b), outer.value(a), background.value(a)]).toEqual([
      "inner",
      "other",
      "outer",
      undefined,
    ]);
  });

  test.each([null, undefined])("of %s shadow", (value) => {
    expect(withValue(withValue(background, a, "outer"), a, value).value(a)).toBe(value);
  });

  test("are found 100,000 contexts up", () => {
    let ctx = withValue(background, a, "deep");
    for (let n = 0; n < 100_000; n++) ctx = withValue(ctx, b, "x");
    expect(ctx.value(a)).toBe("deep");
  });

  test("over a foreign signal take no listener, and end when it does", async () => {
    const controller = new AbortController();
    const foreign = controller as unknown as Context;
    const ctx = withValue(withValue(foreign, a, "outer"), b, "inner");
    const child = withCancel(ctx);
    child.cancel();
    expect([ctx.value(a), ctx.value(b), child.ctx.value(b)]).toEqual(["outer", "inner", "inner"]);
    expect([ctx.signal, ctx.error, ctx.cause, ctx.deadlineMs]).toEqual([
      controller.signal,
      undefined,
      undefined,
      undefined,
    ]);
    expect(listenersOf(controller.signal)).toBe(0);
    const waiting = failureOf(new Channel<number>().receive(ctx));
    expect(listenersOf(controller.signal)).toBe(1);
    controller.abort(mine);
    expect([await waiting, ctx.cause, ctx.error?.cause, ctx.error?.code]).toEqual([
      mine,
      mine,
      mine,
      "CANCELED",
    ]);
    expect(ctx.error).toBe(ctx.error);
    expect([withCancel(ctx).ctx.cause, withValue(ctx, a, "late").cause]).toEqual([mine, mine]);
    expect([withoutCancel(ctx).value(b), withoutCancel(ctx).error]).toEqual(["inner", undefined]);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("over the mere signal of a context have its deadline and its end", () => {
    const { ctx, cancel } = withTimeout(background, 1e6);
    const { signal } = ctx;
    const below = withValue({ signal } as Context, b, "x");
    expect([below.deadlineMs, below.signal]).toEqual([ctx.deadlineMs, signal]);
    cancel();
    expect(below.error).toBe(ctx.error);
  });

  test("need a signal", () => {
    for (const wrong of [{}, { signal: 3 }] as unknown as Context[]) {
      expect(thrownBy(() => withValue(wrong, b, "x"))).toBeInstanceOf(TypeError);
    }
  });

  test("outlive the end of their context with `withoutCancel`, without deadline, end and cause", () => {
    const parent = withTimeout(withValue(background, a, "kept"), 1e6);
    const detached = withoutCancel(parent.ctx);
    parent.cancel(mine);
    expect([detached.value(a), detached.error, detached.cause, detached.deadlineMs]).toEqual([
      "kept",
      undefined,
      undefined,
      undefined,
    ]);
    expect(detached.signal.aborted).toBe(false);
  });
});

describe("afterFunc", () => {
  inBothRuntimes(
    "calls once, after the end, and never inside the call that ends or registers",
    async () => {
      const { ctx, cancel } = withCancel(background);
      let calls = 0;
      afterFunc(ctx, () => void calls++);
      cancel();
      expect(calls).toBe(0);
      await settle();
      expect(calls).toBe(1);
      afterFunc(ctx, () => void calls++);
      expect(calls).toBe(1);
      await settle();
      expect(calls).toBe(2);
    },
    20,
  );

  inBothRuntimes(
    "keeps registrations apart; only a stop that prevents the call says so",
    async () => {
      const { ctx, cancel } = withCancel(background);
      const calls: string[] = [];
      const stopA = afterFunc(ctx, () => void calls.push("a"));
      const stopB = afterFunc(ctx, () => void calls.push("b"));
      expect([stopA(), stopA()]).toEqual([true, false]);
      cancel();
      expect(stopB()).toBe(false);
      await settle();
      expect(calls).toEqual(["b"]);
    },
    20,
  );

  test.each(["stopped", "called", "too late"])("leaves no listener on a signal: %s", async (how) => {
    const controller = new AbortController();
    if (how === "too late") controller.abort();
    const stop = afterFunc(controller, () => {});
    if (how === "stopped") stop();
    else controller.abort();
    expect(listenersOf(controller.signal)).toBe(0);
    await settle();
  });

  inBothRuntimes(
    "calls in the async context of whoever registered",
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: (string | undefined)[] = [];
      const { ctx, cancel } = withCancel(background);
      storage.run("registrar", () => afterFunc(ctx, () => void seen.push(storage.getStore())));
      storage.run("canceller", () => cancel());
      await settle();
      expect(seen).toEqual(["registrar"]);
    },
    10,
  );
});

describe("Context: the Web's signals", () => {
  const cause = new Error("the Web says so");

  test("end a context with their reason, and the other way round", () => {
    const controller = new AbortController();
    const child = withCancel(controller);
    expect(listenersOf(controller.signal)).toBe(1);
    const below = withCancel({ signal: child.ctx.signal });
    controller.abort(cause);
    expect([child.ctx.cause, below.ctx.cause, below.ctx.signal.reason]).toEqual([cause, cause, cause]);
    expect([child.ctx.error?.code, child.ctx.error?.cause]).toEqual(["CANCELED", cause]);
  });

  test("end all contexts that are tied to them before anybody is told", () => {
    const controller = new AbortController();
    const [one, other] = [withCancel(controller), withTimeout(controller, 1e6)];
    const seen: unknown[] = [];
    for (const { ctx } of [one, other])
      ctx.signal.addEventListener("abort", () => seen.push(one.ctx.cause, other.ctx.cause));
    controller.abort(mine);
    expect(seen).toEqual([mine, mine, mine, mine]);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("that time out are timeouts", () => {
    const controller = new AbortController();
    const { ctx } = withCancel(controller);
    controller.abort(new DOMException("slow", "TimeoutError"));
    expect(ctx.error?.code).toBe("TIMEOUT");
  });

  test.each(["cancelled", "timed out", "born after the end"])(
    "keep no listener of a child that is %s",
    async (how) => {
      const controller = new AbortController();
      if (how === "born after the end") controller.abort();
      const { cancel } = withTimeout(controller, how === "timed out" ? 1 : 1e6);
      if (how === "cancelled") cancel();
      if (how === "timed out") await sleep(3);
      expect(listenersOf(controller.signal)).toBe(0);
    },
  );

  test("of a context that never ends are not listened to, by children or by waits", async () => {
    for (const endless of [
      background,
      withoutCancel(withCancel(background).ctx),
      withValue(background, new ContextKey<number>("n"), 1),
    ]) {
      const { signal } = endless;
      const children = [withCancel(endless), withTimeout(endless, 1e6)];
      const channel = new Channel<number>();
      const waiting = channel.receive(endless);
      afterFunc(endless, () => {});
      expect(listenersOf(signal)).toBe(0);
      for (const { cancel } of children) cancel();
      channel.trySend(1);
      await waiting;
    }
  });

  test("hold one listener at most after a thousand waits on a long-lived signal", async () => {
    const controller = new AbortController();
    const channel = new Channel<number>(1);
    for (let n = 0; n < 1000; n++) {
      const receiving = channel.receive(controller);
      channel.trySend(n);
      await receiving;
      withTimeout(controller, 1e6).cancel();
    }
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test.each([null, 0, "", false, "text", undefined])(
    "hand on any reason untouched, such as %s",
    async (reason) => {
      const before = AbortSignal.abort(reason);
      expect(await failureOf(new Channel<number>().receive({ signal: before }))).toBe(before.reason);
      const controller = new AbortController();
      const waiting = failureOf(new Channel<number>().receive(controller));
      controller.abort(reason);
      expect(await waiting).toBe(controller.signal.reason);
    },
  );

  test("are made when first asked for, and are always the same", () => {
    const { ctx, cancel } = withCancel(background);
    const { signal } = ctx;
    expect(ctx.signal).toBe(signal);
    expect(withValue(ctx, new ContextKey<number>("n"), 1).signal).toBe(signal);
    cancel();
    expect(signal.aborted).toBe(true);
    expect(background.signal.aborted).toBe(false);
  });
});

describe("Context: size", () => {
  test("a context shows nothing of its relatives to who prints or compares it", () => {
    const root = withCancel(background);
    const [one, other] = [withCancel(root.ctx), withTimeout(root.ctx, 1e6)];
    for (const ctx of [background, root.ctx, one.ctx, other.ctx]) expect(Reflect.ownKeys(ctx)).toEqual([]);
    root.cancel();
  });

  test("a context with its end can be taken apart and copied", () => {
    const copy = { ...withCancel(background) };
    const { ctx, cancel } = copy;
    cancel(mine);
    expect([ctx.cause, copy.ctx.cause]).toEqual([mine, mine]);
  });

  test("a chain of 100,000 ends at once and without a deep stack", () => {
    const root = withCancel(background);
    let { ctx } = root;
    for (let n = 0; n < 100_000; n++) ({ ctx } = withCancel(ctx));
    root.cancel(mine);
    expect(ctx.cause).toBe(mine);
  });

  test("100,000 children leave their parent one by one, in any order", () => {
    const root = withCancel(background);
    const children = Array.from({ length: 100_000 }, () => withCancel(root.ctx));
    for (let n = 0; n < children.length; n += 2) children[n]?.cancel();
    for (let n = children.length - 1; n > 0; n -= 2) children[n]?.cancel();
    expect(root.ctx.error).toBeUndefined();
    root.cancel();
  });

  test("random trees: exactly those at and below what was cancelled have ended, with the first cause", () => {
    const tree = fc.array(fc.nat(), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(tree, fc.array(fc.nat(), { maxLength: 20 }), (parents, cancels) => {
        const nodes = parents.map(() => undefined as ReturnType<typeof withCancel> | undefined);
        const above = parents.map((raw, n) => (n === 0 ? -1 : (raw % (n + 1)) - 1));
        for (const [n, parent] of above.entries()) nodes[n] = withCancel(nodes[parent]?.ctx ?? background);
        const causes: unknown[] = parents.map(() => undefined);
        for (const [order, raw] of cancels.entries()) {
          const target = raw % parents.length;
          nodes[target]?.cancel(`cause ${order}`);
          const isBelow = (n: number): boolean => n === target || (n >= 0 && isBelow(above[n] as number));
          for (let n = 0; n < parents.length; n++) if (isBelow(n)) causes[n] ??= `cause ${order}`;
        }
        expect(nodes.map((node) => node?.ctx.cause)).toEqual(causes);
      }),
    );
  });
});

describe("Context: arguments", () => {
  const bad = [Number.NaN, "3", null, {}, 5n];
  test.each(bad)("a time of %s is refused", (time) => {
    const type = typeof time === "number" ? RangeError : TypeError;
    for (const [call, name] of [
      [() => withTimeout(background, time as number), "timeoutMs"],
      [() => withDeadline(background, time as number), "deadlineMs"],
    ] as const) {
      const error = thrownBy(call);
      expect(error).toBeInstanceOf(type);
      expect((error as Error).message).toMatch(new RegExp(`^${name} must be a number of milliseconds, got `));
    }
  });

  test.each<[string, (parent: never) => unknown]>([
    ["withCancel", (parent) => withCancel(parent)],
    ["withTimeout", (parent) => withTimeout(parent, 5)],
    ["withDeadline", (parent) => withDeadline(parent, 5)],
    ["withValue", (parent) => withValue(parent, new ContextKey<number>("n"), 1)],
    ["withoutCancel", (parent) => withoutCancel(parent)],
    ["afterFunc", (source) => afterFunc(source, () => {})],
  ])("%s refuses to have no parent, by name", (name, call) => {
    for (const parent of [undefined, null, 3]) {
      const error = thrownBy(() => call(parent as never));
      expect(error, String(parent)).toBeInstanceOf(TypeError);
      expect((error as Error).message).toMatch(
        name === "afterFunc" ? /^source must be / : /^parent must be /,
      );
    }
  });

  test("a key must be a key, and a callback a function", () => {
    expect(thrownBy(() => withValue(background, null as never, 1))).toMatchObject({
      message: expect.stringMatching(/^key must be a ContextKey/) as string,
    });
    expect(thrownBy(() => afterFunc(background, null as never))).toMatchObject({
      message: "callback must be a function, got null",
    });
  });
});
