import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { after, done, receive, select, send, trySelect } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now, sleep, Ticker } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, overSeeds, settle } from "../support/both-runtimes.ts";
import { hostGetsItsTurn, hostTimers, listenersOf } from "../support/listeners.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";
import { crowd } from "./crowd.ts";

const TRIALS = 10_000;
/** 4.891676 standard deviations of a fair coin: six nines. */
const TOLERANCE = 4.891676 / (2 * Math.sqrt(TRIALS));

async function filled(...values: number[]): Promise<Channel<number>> {
  const channel = new Channel<number>(values.length);
  for (const value of values) await channel.send(value);
  return channel;
}

describe("select: the choice among ready cases", () => {
  test("is fair between two", async () => {
    const channels = { a: new Channel<number>(1), b: new Channel<number>(1) };
    const counts = { a: 0, b: 0 };
    for (let trial = 0; trial < TRIALS; trial++) {
      channels.a.trySend(0);
      channels.b.trySend(0);
      const { key } = await select({ a: receive(channels.a), b: receive(channels.b) });
      counts[key]++;
      channels[key === "a" ? "b" : "a"].tryReceive();
    }
    expect(Math.abs(counts.a / TRIALS - 0.5)).toBeLessThan(TOLERANCE);
  });

  test("is fair in a simulation, over the seeds and within one", async () => {
    let chosen = 0;
    await simulate(
      async () => {
        const a = new Channel<number>(1);
        const b = new Channel<number>(1);
        for (let trial = 0; trial < TRIALS; trial++) {
          a.trySend(0);
          b.trySend(0);
          if (trySelect({ a: receive(a), b: receive(b) })?.key === "a") chosen++;
          a.tryReceive();
          b.tryReceive();
        }
      },
      { seed: 5 },
    );
    expect(Math.abs(chosen / TRIALS - 0.5)).toBeLessThan(TOLERANCE);
  });

  test("counts a channel twice that is listed twice", async () => {
    const a = new Channel<number>(1);
    const b = new Channel<number>(1);
    const counts = { first: 0, second: 0, other: 0 };
    for (let trial = 0; trial < 30_000; trial++) {
      a.trySend(0);
      b.trySend(0);
      const chosen = trySelect({ first: receive(a), second: receive(a), other: receive(b) });
      if (chosen !== undefined) counts[chosen.key]++;
      a.tryReceive();
      b.tryReceive();
    }
    for (const count of Object.values(counts)) expect(Math.abs(count / 30_000 - 1 / 3)).toBeLessThan(0.0145);
  });

  test("takes the first of the record when the order is by priority", async () => {
    for (let trial = 0; trial < 50; trial++) {
      const cases = {
        none: receive(new Channel<number>()),
        a: receive(await filled(1)),
        b: receive(await filled(2)),
      };
      expect(await select(cases, { order: "priority" })).toEqual({ key: "a", value: 1, done: false });
      expect(trySelect({ a: receive(await filled(1)), b: after(0) }, { order: "priority" })?.key).toBe("a");
    }
  });
});

describe("select: cases", () => {
  inBothRuntimes(
    "gives the key and the result of the case that was chosen",
    async () => {
      const room = new Channel<number>(1);
      const closed = new Channel<number>();
      closed.close();
      const cause = new Error("over");
      const { ctx, cancel } = withCancel(background);
      cancel(cause);
      const rows: [string, Promise<unknown>, unknown][] = [
        ["receive", select({ k: receive(await filled(3)) }), { key: "k", value: 3, done: false }],
        ["end", select({ k: receive(closed) }), { key: "k", value: undefined, done: true }],
        ["send", select({ k: send(room, 7) }), { key: "k", value: undefined }],
        ["after", select({ k: after(0) }), { key: "k", value: 0 }],
        ["late", select({ k: after(2), idle: receive(new Channel<number>()) }), { key: "k", value: 2 }],
        ["context", select({ k: done(ctx) }), { key: "k", value: cause }],
        ["signal", select({ k: done(AbortSignal.abort(cause)) }), { key: "k", value: cause }],
        ["options", select({ k: done({ signal: AbortSignal.abort(cause) }) }), { key: "k", value: cause }],
      ];
      for (const [name, chosen, expected] of rows) expect(await chosen, name).toEqual(expected);
      expect(room.tryReceive()).toEqual({ value: 7, done: false });
    },
    20,
  );

  test.each([undefined, null, false] as const)(
    "that are %s are disabled, as a nil channel is",
    async (disabled) => {
      const channel = await filled(1, 2);
      expect(await select({ off: disabled, on: receive(channel) })).toMatchObject({ key: "on" });
      expect(trySelect({ off: disabled })).toBeUndefined();
      const chosen = await select({ off: disabled, late: after(1) });
      expect(chosen.key).toBe("late");
    },
  );

  test("end with a signal of another realm, which is known by what it has", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const foreign = {
      get aborted(): boolean {
        return signal.aborted;
      },
      get reason(): unknown {
        return signal.reason;
      },
      addEventListener: signal.addEventListener.bind(signal),
      removeEventListener: signal.removeEventListener.bind(signal),
    } as unknown as AbortSignal;
    const waiting = select({ ended: done(foreign) });
    controller.abort("over there");
    expect(await waiting).toEqual({ key: "ended", value: "over there" });
    expect(trySelect({ ended: done(foreign) })).toEqual({ key: "ended", value: "over there" });
    expect(listenersOf(signal)).toBe(0);
  });

  test("evaluate their operands once and in order, also when none is chosen", () => {
    const order: string[] = [];
    const channel = (name: string): Channel<number> => {
      order.push(name);
      return new Channel<number>();
    };
    const value = (): number => {
      order.push("value");
      return 1;
    };
    expect(trySelect({ a: receive(channel("A")), b: send(channel("B"), value()) })).toBeUndefined();
    expect(order).toEqual(["A", "B", "value"]);
  });

  test("fail on a closed channel, also in a select that does not wait", async () => {
    const roomy = new Channel<number>(5);
    const full = new Channel<number>(1);
    full.trySend(0);
    for (const channel of [roomy, full, new Channel<number>()]) {
      channel.close();
      expect(thrownBy(() => trySelect({ k: send(channel, 1) }))).toMatchObject({ code: "CLOSED" });
      expect(await failureOf(select({ k: send(channel, 1) }))).toMatchObject({ code: "CLOSED" });
    }
  });

  inBothRuntimes(
    "fail when the channel of a send is closed while it waits",
    async () => {
      const channel = new Channel<number>();
      const idle = new Channel<number>();
      const failing = ended(select({ k: send(channel, 1), idle: receive(idle) }));
      await settle();
      channel.close();
      expect(await failing).toMatchObject({ error: { code: "CLOSED" } });
      expect(idle.waiting.receivers).toBe(0);
    },
    30,
  );

  inBothRuntimes(
    "receive the ticks of a ticker",
    async () => {
      const ticker = new Ticker(1);
      const chosen = await select({ tick: receive(ticker), late: after(1e6) });
      ticker.stop();
      expect(chosen.key).toBe("tick");
    },
    20,
  );
});

describe("select: the commitment", () => {
  test("is none when no case is ready, and changes nothing", () => {
    const channel = new Channel<number>();
    const { ctx } = withCancel(background);
    expect(
      trySelect({ r: receive(channel), s: send(channel, 1), a: after(1), d: done(ctx) }),
    ).toBeUndefined();
    expect(trySelect({})).toBeUndefined();
    expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
  });

  test("never is that of a select with itself", async () => {
    const channel = new Channel<number>();
    const selecting = select({ s: send(channel, 1), r: receive(channel) });
    let over = false;
    void selecting.then(() => (over = true));
    await sleep(1);
    expect(over).toBe(false);
    expect(channel.tryReceive()).toEqual({ value: 1, done: false });
    expect((await selecting).key).toBe("s");
    expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
    const again = select({ s: send(channel, 1), r: receive(channel) });
    expect(channel.trySend(5)).toBe(true);
    expect(await again).toEqual({ key: "r", value: 5, done: false });
    expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
  });

  inBothRuntimes("of two selects that face each other is one pair, never half", async () => {
    const x = new Channel<number>();
    const y = new Channel<number>();
    await TaskGroup.run(async (group) => {
      const one = group.go(() => select({ give: send(x, 1), take: receive(y) }, group.ctx));
      const other = group.go(() => select({ give: send(y, 2), take: receive(x) }, group.ctx));
      const [a, b] = [await one.join(), await other.join()];
      expect([a.key, b.key].toSorted()).toEqual(["give", "take"]);
      const taken = a.key === "take" ? [a.value, 2] : [b.value, 1];
      expect(taken[0]).toBe(taken[1]);
    });
    for (const channel of [x, y]) expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
  });

  inBothRuntimes(
    "is exactly one of four channels, for every value",
    async () => {
      const channels = [0, 0, 2, 3].map((capacity) => new Channel<number>(capacity));
      const [a, b, c, d] = channels as [Channel<number>, Channel<number>, Channel<number>, Channel<number>];
      const seen: number[] = [];
      await TaskGroup.run(async (group) => {
        await TaskGroup.run((senders) => {
          for (let s = 0; s < 4; s++) {
            senders.go(async () => {
              for (let n = 0; n < 5; n++) {
                const value = s * 5 + n;
                await select(
                  { a: send(a, value), b: send(b, value), c: send(c, value), d: send(d, value) },
                  senders.ctx,
                );
              }
            });
          }
          for (let r = 0; r < 2; r++) {
            group.go(async () => {
              for (;;) {
                const chosen = await select(
                  { a: receive(a), b: receive(b), c: receive(c), d: receive(d) },
                  group.ctx,
                );
                if (chosen.done === true) return;
                seen.push(chosen.value);
              }
            });
          }
        });
        while (c.size + d.size > 0) await settle();
        for (const channel of channels) channel.close();
      });
      expect(seen.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    },
    100,
  );

  test("loses nothing under stress: ten tasks, four channels, 5,000 values each", async () => {
    await expect(crowd(5000)).resolves.toBe(40_000);
  });
});

describe("select: what it leaves", () => {
  inBothRuntimes(
    "is nothing, once a case was chosen: no waiter, no timer, no listener",
    async () => {
      const one = new Channel<number>();
      const other = new Channel<number>();
      const controller = new AbortController();
      const giveUp = new AbortController();
      const selecting = select(
        { one: receive(one), other: send(other, 1), late: after(1e6), ended: done(controller.signal) },
        { signal: giveUp.signal },
      );
      await settle();
      expect([one.waiting.receivers, other.waiting.senders, listenersOf(controller.signal)]).toEqual([
        1, 1, 1,
      ]);
      expect(one.trySend(1)).toBe(true);
      expect([one.waiting.receivers, other.waiting.senders, listenersOf(controller.signal)]).toEqual([
        0, 0, 0,
      ]);
      expect(listenersOf(giveUp.signal)).toBe(0);
      await selecting;
    },
    30,
  );

  inBothRuntimes(
    "is nothing, once it was cancelled",
    async () => {
      const one = new Channel<number>();
      const other = new Channel<number>();
      const ended_ = new AbortController();
      const { ctx, cancel } = withCancel(background);
      const cases = {
        one: receive(one),
        other: send(other, 1),
        late: after(1e6),
        ended: done(ended_.signal),
      };
      const selecting = ended(select(cases, ctx));
      await settle();
      cancel();
      expect([one.waiting.receivers, other.waiting.senders, listenersOf(ended_.signal)]).toEqual([0, 0, 0]);
      expect(await selecting).toMatchObject({ error: { code: "CANCELED" } });
      expect(one.trySend(1)).toBe(false);
    },
    30,
  );

  test("is no timer of the host", async () => {
    const before = hostTimers();
    const channel = new Channel<number>();
    const selecting = select({ a: receive(channel), b: after(1e6) });
    expect(hostTimers()).toBe(before + 1);
    channel.trySend(1);
    expect(hostTimers()).toBe(before);
    await selecting;
  });

  test("is no timer in a simulation either: each that was set has fired or was cleared", async () => {
    await overSeeds(20, async (seed) => {
      const events: RunEvent[] = [];
      await simulate(
        async () => {
          const channel = new Channel<number>();
          await TaskGroup.run(async (group) => {
            group.go(() => channel.send(1, group.ctx));
            await select({ a: receive(channel), b: after(50) });
          });
        },
        { seed, onEvent: (event) => events.push(event) },
      );
      const count = (k: string): number => events.filter((event) => event.k === k).length;
      expect(count("timer.fire") + count("timer.clear")).toBe(count("timer.set"));
    });
  });

  test("does not evict another select from a queue: each leaves its own place", async () => {
    for (let trial = 0; trial < 50; trial++) {
      const shared = new Channel<number>();
      const own = new Channel<number>();
      const first = select({ shared: receive(shared), own: receive(own) });
      const second = select({ shared: receive(shared) });
      expect(own.trySend(1)).toBe(true);
      expect(shared.waiting.receivers).toBe(1);
      expect(shared.trySend(2)).toBe(true);
      expect([(await first).value, (await second).value]).toEqual([1, 2]);
    }
  });
});

describe("select: waiting", () => {
  test("without any case is for ever: a deadlock, if nobody else lives", async () => {
    const error = await failureOf(simulate(() => select({}), { seed: 1 }));
    expect(error).toMatchObject({ code: "DEADLOCK" });
    expect((error as Error).message).toMatch(
      /^all tasks are asleep - deadlock!.*\n {2}main \(task 0\): select$/,
    );
  });

  inBothRuntimes(
    "ends with a deadline's error, not with a cancellation, when time runs out",
    async () => {
      const { ctx, cancel } = withTimeout(background, 2);
      const error = await failureOf(select({ k: receive(new Channel<number>()) }, ctx));
      cancel();
      expect(error).toMatchObject({ code: "TIMEOUT", message: "context deadline exceeded" });
    },
    20,
  );

  test("`after` counts from when the select begins to wait", async () => {
    await simulate(async () => {
      const late = after(10);
      await sleep(5);
      await select({ late });
      expect(now()).toBe(15);
    });
  });

  test("a context that has ended fails it, although a case is ready", async () => {
    const reason = new Error("gone");
    const channel = await filled(1);
    const error = await failureOf(select({ k: receive(channel) }, { signal: AbortSignal.abort(reason) }));
    expect([error, channel.size]).toEqual([reason, 1]);
  });

  test("gives the host its turn while two tasks exchange values for ever", async () => {
    const turn = await hostGetsItsTurn(async (over) => {
      const there = new Channel<number>();
      const back = new Channel<number>();
      await TaskGroup.run((group) => {
        group.go(async () => {
          while (!over()) {
            await select({ k: send(there, 1) }, group.ctx);
            await select({ k: receive(back) }, group.ctx);
          }
          there.close();
        });
        group.go(async () => {
          while ((await select({ k: receive(there) }, group.ctx)).done !== true) {
            await select({ k: send(back, 1) }, group.ctx);
          }
        });
      });
    });
    expect(turn).toBe(true);
  });
});

describe("select: arguments", () => {
  test.each<[string, () => unknown, string]>([
    ["after(NaN)", () => after(Number.NaN), "delayMs must be a number of milliseconds, got NaN"],
    ["after('3')", () => after("3" as never), 'delayMs must be a number of milliseconds, got "3"'],
    ["after(null)", () => after(null as never), "delayMs must be a number of milliseconds, got null"],
    [
      "order: 'fair'",
      () => trySelect({}, { order: "fair" as never }),
      'order must be one of "random", "priority", got "fair"',
    ],
    [
      "select order: 'fair'",
      () => select({ k: after(0) }, { order: "fair" as never }),
      'order must be one of "random", "priority", got "fair"',
    ],
  ])("%s is refused at the call", (_, call, message) => {
    const error = thrownBy(call);
    expect(error).toBeInstanceOf(message.endsWith("NaN") ? RangeError : TypeError);
    expect((error as Error).message).toBe(message);
  });

  test.each<[string, () => unknown]>([
    ["receive(null)", () => receive(null as never)],
    ["send(undefined, 1)", () => send(undefined as never, 1)],
    ["done(undefined)", () => done(undefined as never)],
    ["done(3)", () => done(3 as never)],
    ["select(null)", () => select(null as never)],
  ])("%s is refused at the call", (_, call) => {
    expect(thrownBy(call)).toBeInstanceOf(TypeError);
  });
});
