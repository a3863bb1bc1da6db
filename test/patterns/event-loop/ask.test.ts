import { type Context, withCancel } from "concurrency-model-patterns/context";
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { answering, ask, type RequestMessage } from "concurrency-model-patterns/event-loop/ask";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { expect, expectTypeOf, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { hostTimers, listenersOf } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

type Events = {
  tell: number;
  double: RequestMessage<number, number>;
  forget: RequestMessage<string, number>;
};

/** A loop that doubles after `ms`, and never answers to "forget". */
function doubling(ms = 0, options: { onError?: (error: unknown) => void; capacity?: number } = {}) {
  const loop = new EventLoop<Events>(options);
  const begun: number[] = [];
  const double = async (n: number, ctx: { signal: AbortSignal }): Promise<number> => {
    begun.push(n);
    await sleep(ms, ctx);
    return n * 2;
  };
  loop.on("double", answering(double));
  loop.on("forget", () => {});
  return { loop, begun };
}

inBothRuntimes("gives to each the answer to its own question", async () => {
  const { loop } = doubling(1);
  await TaskGroup.run(async (group) => {
    group.go(() => loop.run());
    const answers = await Promise.all([1, 2, 3].map((n) => ask(loop, "double", n)));
    expectTypeOf(answers).toEqualTypeOf<number[]>();
    expect(answers).toEqual([2, 4, 6]);
    loop.close();
  });
});

inBothRuntimes("a handler that fails fails the request, and the loop goes on", async () => {
  const failure = new Error("no such account");
  const loop = new EventLoop<Events>({ onError: () => expect.unreachable() });
  loop.on(
    "double",
    answering((n) => {
      if (n === 1) throw failure;
      return n;
    }),
  );
  await TaskGroup.run(async (group) => {
    group.go(() => loop.run());
    expect(await failureOf(ask(loop, "double", 1))).toBe(failure);
    expect(await ask(loop, "double", 2)).toBe(2);
    loop.close();
  });
});

inBothRuntimes(
  "one that was answered leaves nothing at the loop, which may go on for very long",
  async () => {
    const { loop } = doubling();
    const life = new AbortController();
    // A signal of the host tells who listens to it.
    const post: typeof loop.post = (kind, value, options) => loop.post(kind, value, options);
    const asked = { ctx: { signal: life.signal } as Context, post };
    await TaskGroup.run(async (group) => {
      group.go(() => loop.run());
      expect(await ask<Events, "double">(asked, "double", 1)).toBe(2);
      expect(listenersOf(life.signal)).toBe(0);
      loop.close();
    });
  },
);

inBothRuntimes("one that is given up before it is handled is not handled", async () => {
  const { loop, begun } = doubling(10);
  const { ctx, cancel } = withCancel({});
  await TaskGroup.run(async (group) => {
    group.go(() => loop.run());
    const first = ask(loop, "double", 1);
    await settle();
    const leaving = failureOf(ask(loop, "double", 2, ctx));
    await settle();
    cancel("enough");
    expect(await leaving).toBe("enough");
    expect(await failureOf(ask(loop, "double", 3, ctx))).toBe("enough");
    expect(await first).toBe(2);
    await loop.drain();
  });
  expect(begun).toEqual([1]);
});

inBothRuntimes("one that is given up while it is handled ends the context of its handler", async () => {
  const { loop, begun } = doubling(60_000, { onError: () => expect.unreachable() });
  const controller = new AbortController();
  await TaskGroup.run(async (group) => {
    group.go(() => loop.run());
    const leaving = failureOf(ask(loop, "double", 1, { signal: controller.signal }));
    await settle();
    controller.abort("enough");
    expect(await leaving).toBe("enough");
    expect(listenersOf(controller.signal)).toBe(0);
    await loop.drain();
  });
  expect(begun).toEqual([1]);
});

inBothRuntimes("a failure that nobody is left to hear of goes to the loop", async () => {
  const failure = new Error("broken");
  const errors: unknown[] = [];
  const loop = new EventLoop<Events>({ onError: (error) => void errors.push(error) });
  loop.on(
    "double",
    answering(async () => {
      await sleep(50);
      throw failure;
    }),
  );
  await TaskGroup.run(async (group) => {
    group.go(() => loop.run());
    expect(await failureOf(ask(loop, "double", 1, { timeoutMs: 10 }))).toMatchObject({ code: "TIMEOUT" });
    await loop.drain();
  });
  expect(errors).toEqual([failure]);
});

inBothRuntimes("settles in any case: when the loop stops, has stopped, or never answers", async () => {
  const { loop } = doubling(10);
  await TaskGroup.run(async (group) => {
    const running = group.go(() => loop.run());
    const forgotten = failureOf(ask(loop, "forget", "me"));
    const late = failureOf(ask(loop, "forget", "me", { timeoutMs: 5 }));
    expect(await late).toMatchObject({ code: "TIMEOUT" });
    const under = ask(loop, "double", 1);
    await settle();
    const queued = failureOf(ask(loop, "double", 2));
    await settle();
    loop.stop();
    expect(await under).toBe(2);
    expect(await queued).toMatchObject({ code: "CLOSED" });
    expect(await forgotten).toMatchObject({ code: "CLOSED" });
    await running.join();
    expect(await failureOf(ask(loop, "double", 3))).toMatchObject({ code: "CLOSED" });
  });
});

test("the timeout also covers the wait for room; no timer is left, and wrong arguments throw", async () => {
  const before = hostTimers();
  const { loop } = doubling(0, { capacity: 1 });
  await loop.post("tell", 1);
  expect(await failureOf(ask(loop, "double", 1, { timeoutMs: 2 }))).toMatchObject({ code: "TIMEOUT" });
  expect(hostTimers()).toBe(before);
  expect(thrownBy(() => ask(loop, "double", 1, { timeoutMs: Number.NaN }))).toBeInstanceOf(RangeError);
  expect(thrownBy(() => answering(1 as never))).toBeInstanceOf(TypeError);
});
