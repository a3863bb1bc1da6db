/** What stands on a channel can be a case of a select: with what it does of its own on the way. */
import { background, withCancel } from "concurrency-model-patterns/context";
import { JobQueue } from "concurrency-model-patterns/producer-consumer";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { after, receive, select, trySelect } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { Ticker } from "concurrency-model-patterns/timers";
import { describe, expect } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended } from "../support/outcomes.ts";

const late = after(1e6);

describe("select from a ticker", () => {
  inBothRuntimes(
    "gives its ticks",
    async () => {
      const ticker = new Ticker(2);
      for (let n = 0; n < 2; n++) expect((await select({ tick: receive(ticker), late })).key).toBe("tick");
      ticker.stop();
    },
    10,
  );
});

describe("select from a subscription", () => {
  inBothRuntimes(
    "gives messages that are there, that come, and the end, which lets drain go on",
    async () => {
      const bus = new PubSub<{ news: number }>();
      const inbox = bus.subscribe("news");
      await bus.publish("news", 1);
      const seen: unknown[] = [];
      await TaskGroup.run((group) => {
        group.go(async () => {
          for (;;) {
            const chosen = await select({ news: receive(inbox), late }, group.ctx);
            seen.push(chosen.value);
            if (chosen.key === "news" && chosen.done === true) return;
          }
        });
        group.go(async () => {
          await bus.publish("news", 2, group.ctx);
          await bus.drain(group.ctx);
        });
      });
      expect(seen).toEqual([1, 2, undefined]);
      expect(bus.subscribers("news")).toBe(0);
    },
    100,
  );

  inBothRuntimes(
    "that was left, or is left meanwhile, gives the end and nothing more",
    async () => {
      const bus = new PubSub<{ news: number }>();
      const [one, other] = [bus.subscribe("news"), bus.subscribe("news")];
      const waiting = select({ news: receive(other), late });
      await settle();
      other.unsubscribe();
      expect(await waiting).toEqual({ key: "news", value: undefined, done: true });
      await bus.publish("news", 1);
      one.unsubscribe();
      expect(trySelect({ news: receive(one) })).toEqual({ key: "news", value: undefined, done: true });
      await bus.drain();
    },
    50,
  );

  inBothRuntimes(
    "that was cancelled, or is cancelled meanwhile, fails with the reason",
    async () => {
      const bus = new PubSub<{ news: number }>();
      const { ctx, cancel } = withCancel(background);
      const inbox = bus.subscribe("news", { signal: ctx.signal });
      const reason = new Error("enough");
      const waiting = ended(select({ news: receive(inbox), late }));
      await settle();
      cancel(reason);
      expect(await waiting).toEqual({ error: reason });
      expect(await ended(select({ news: receive(inbox), late }))).toEqual({ error: reason });
      await bus.drain();
    },
    50,
  );
});

describe("select from a job queue", () => {
  inBothRuntimes(
    "gives jobs that are there, that come, and the end, which lets drain go on",
    async () => {
      for (const capacity of [0, 2]) {
        const queue = new JobQueue<number>({ capacity });
        const seen: unknown[] = [];
        await TaskGroup.run((group) => {
          group.go(async () => {
            for (const n of [1, 2, 3]) await queue.put(n, group.ctx);
            await queue.drain(group.ctx);
          });
          group.go(async () => {
            for (;;) {
              const chosen = await select({ job: receive(queue), late }, group.ctx);
              seen.push(chosen.value);
              if (chosen.key === "job" && chosen.done === true) return;
            }
          });
        });
        expect(seen).toEqual([1, 2, 3, undefined]);
      }
    },
    100,
  );
});
