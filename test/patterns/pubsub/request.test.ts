import { AsyncLocalStorage } from "node:async_hooks";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { QueueGroup } from "concurrency-model-patterns/pubsub/queue-group";
import {
  answering,
  type RequestMessage,
  request,
  requestAll,
} from "concurrency-model-patterns/pubsub/request";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { hostTimers, listenersOf } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

interface Service {
  double: RequestMessage<number, number>;
  news: string;
}
const soon = { timeoutMs: 1000 };

describe("a request", () => {
  inBothRuntimes(
    "gets the first answer; later ones are told that nobody waits",
    async () => {
      const bus = new PubSub<Service>();
      const late: boolean[] = [];
      bus.on("double", async (asked) => {
        await sleep(50);
        late.push(asked.reply(-1), asked.fail(new Error("late")));
      });
      bus.on(
        "double",
        answering(async (n) => sleep(5).then(() => n * 2)),
      );
      expect(await request(bus, "double", 21, soon)).toBe(42);
      await bus.drain();
      expect(late).toEqual([false, false]);
    },
    40,
  );

  inBothRuntimes(
    "takes one answer, though another is given in the same step",
    async () => {
      const bus = new PubSub<Service>();
      const heard: boolean[] = [];
      bus.on(
        "double",
        (asked) => void heard.push(asked.reply(1), asked.reply(2), asked.fail(new Error("3"))),
      );
      expect(await request(bus, "double", 21, soon)).toBe(1);
      await bus.drain();
      expect(heard).toEqual([true, false, false]);
    },
    20,
  );

  inBothRuntimes(
    "fails at once if nobody takes it, and as a publish does on a closed bus",
    async () => {
      const bus = new PubSub<Service>();
      const before = now();
      expect(await failureOf(request(bus, "double", 1, soon))).toMatchObject({
        code: "NO_RESPONDERS",
        message: 'nobody takes requests on "double"',
      });
      expect(await failureOf(requestAll(bus, "double", 1, soon))).toMatchObject({ code: "NO_RESPONDERS" });
      bus.subscribe("double", { capacity: 0, overflow: "drop-newest" });
      expect(await failureOf(request(bus, "double", 1, soon))).toMatchObject({ code: "NO_RESPONDERS" });
      expect(now()).toBe(before);
      bus.close();
      expect(await failureOf(request(bus, "double", 1, soon))).toMatchObject({ code: "CLOSED" });
    },
    40,
  );

  inBothRuntimes(
    "fails with what the answer failed with, at once or later",
    async () => {
      const wrong = new Error("no");
      for (const handler of [() => Promise.reject(wrong), () => sleep(1).then(() => Promise.reject(wrong))]) {
        const bus = new PubSub<Service>();
        bus.on("double", answering(handler));
        expect(await failureOf(request(bus, "double", 1, soon))).toBe(wrong);
        bus.close();
      }
    },
    20,
  );

  inBothRuntimes(
    "whose time is over or who is cancelled ends the context of the request, and is withdrawn",
    async () => {
      const bus = new PubSub<Service>();
      const endings: unknown[] = [];
      const failures: unknown[] = [];
      const handler = answering<number, number>(async (_, ctx) => {
        await sleep(Number.POSITIVE_INFINITY, ctx).catch((error: unknown) => {
          endings.push(ctx.error?.code);
          throw error;
        });
        return 0;
      });
      const listener = bus.on("double", handler, { onError: (error) => void failures.push(error) });
      expect(await failureOf(request(bus, "double", 1, { timeoutMs: 5 }))).toMatchObject({ code: "TIMEOUT" });
      const controller = new AbortController();
      const reason = new Error("gone");
      const given = failureOf(request(bus, "double", 1, { ...soon, signal: controller.signal }));
      await settle();
      controller.abort(reason);
      expect(await given).toBe(reason);
      const { signal } = controller;
      expect(await failureOf(request(bus, "double", 1, { ...soon, signal }))).toBe(reason);
      await settle();
      expect([endings, failures, listenersOf(signal)]).toEqual([["TIMEOUT", "CANCELED"], [], 0]);
      listener.unsubscribe();
      const full = bus.subscribe("double", { capacity: 0 });
      expect(await failureOf(request(bus, "double", 1, { timeoutMs: 5 }))).toMatchObject({ code: "TIMEOUT" });
      expect([bus.waiting, full.tryReceive()]).toEqual([0, undefined]);
    },
    30,
  );

  inBothRuntimes(
    "that was answered is withdrawn from subscribers who have no room for it",
    async () => {
      const bus = new PubSub<Service>();
      const full = bus.subscribe("double", { capacity: 0 });
      bus.on(
        "double",
        answering((n) => n * 2),
      );
      expect(await request(bus, "double", 2, soon)).toBe(4);
      await settle();
      expect([bus.waiting, full.tryReceive()]).toEqual([0, undefined]);
      bus.close();
    },
    30,
  );

  inBothRuntimes(
    "is not handled any more if nobody waits for its answer; a failure that is too late goes to onError",
    async () => {
      const bus = new PubSub<Service>();
      const wrong = new Error("late");
      const [handled, failures]: [number[], unknown[]] = [[], []];
      const handler = answering(async (n: number) => {
        handled.push(n);
        await sleep(20);
        throw wrong;
      });
      bus.on("double", handler, { onError: (error) => void failures.push(error) });
      const asked = [1, 2].map((n) => failureOf(request(bus, "double", n, { timeoutMs: 10 })));
      for (const failure of asked) expect(await failure).toMatchObject({ code: "TIMEOUT" });
      await bus.drain();
      expect([handled.length, failures]).toEqual([1, [wrong]]);
    },
    30,
  );

  inBothRuntimes(
    "goes to one of those who share a queue group",
    async () => {
      const bus = new PubSub<Service>();
      const group = new QueueGroup(bus.subscribe("double"));
      const counts = [0, 0];
      const serve = async (member: 0 | 1): Promise<void> => {
        for await (const asked of group.join()) {
          counts[member] = (counts[member] ?? 0) + 1;
          await answering<number, number>((n) => sleep(1).then(() => n * 2))(asked);
        }
      };
      const serving = [serve(0), serve(1)];
      const answers = await Promise.all([1, 2, 3, 4].map((n) => request(bus, "double", n, soon)));
      expect(answers).toEqual([2, 4, 6, 8]);
      expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(4);
      bus.close();
      await Promise.all(serving);
    },
    30,
  );

  test("leaves no timer, and is answered in the async context of whoever registered the handler", async () => {
    const storage = new AsyncLocalStorage<string>();
    const bus = new PubSub<{ where: RequestMessage<undefined, string | undefined> }>();
    storage.run("responder", () =>
      bus.on(
        "where",
        answering(() => storage.getStore()),
      ),
    );
    const before = hostTimers();
    expect(await storage.run("asker", () => request(bus, "where", undefined, soon))).toBe("responder");
    expect(hostTimers()).toBe(before);
  });

  test("is typed and checked at the call", () => {
    const bus = new PubSub<Service>();
    // @ts-expect-error news are no requests
    expect(thrownBy(() => request(bus, "news", "x", { timeoutMs: Number.NaN }))).toBeInstanceOf(RangeError);
    const wrong = { timeoutMs: "1" as never };
    expect(thrownBy(() => requestAll(bus, "double", 1, wrong))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => answering("no function" as never))).toBeInstanceOf(TypeError);
  });
});

describe("a request to all", () => {
  inBothRuntimes(
    "waits until each who took it has answered, and gives answers and failures as they came",
    async () => {
      const bus = new PubSub<Service>();
      for (const delayMs of [30, 10, 20]) {
        bus.on(
          "double",
          answering((n) => sleep(delayMs).then(() => (delayMs === 20 ? Promise.reject("no") : n + delayMs))),
        );
      }
      expect(await requestAll(bus, "double", 1, soon)).toEqual([
        { status: "fulfilled", value: 11 },
        { status: "rejected", reason: "no" },
        { status: "fulfilled", value: 31 },
      ]);
      bus.subscribe("double");
      expect(await failureOf(requestAll(bus, "double", 1, { timeoutMs: 50 }))).toMatchObject({
        code: "TIMEOUT",
      });
      bus.close();
    },
    30,
  );
});
