import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { countedSender } from "concurrency-model-patterns/counted-sender";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

async function allOf<T>(channel: Channel<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of channel) values.push(value);
  return values;
}

describe("countedSender", () => {
  inBothRuntimes("closes the channel with the last of them, and not before", async () => {
    const channel = new Channel<number>(1);
    const seen = await TaskGroup.run((group) => {
      const first = countedSender(channel);
      for (let s = 0; s < 3; s++) {
        const sender = first.clone();
        group.go(async () => {
          for (let n = 0; n < 3; n++) {
            await sleep(s, group.ctx);
            await sender.send(s * 3 + n, group.ctx);
          }
          sender.close();
        });
      }
      first.close();
      return allOf(channel);
    });
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(channel.closed).toBe(true);
  });

  inBothRuntimes(
    "lets sends that wait get in after their sender was closed",
    async () => {
      const channel = new Channel<number>();
      const sender = countedSender(channel);
      const sends = [1, 2].map((n) => sender.send(n));
      await settle();
      sender.close();
      expect([sender.closed, channel.closed]).toEqual([true, false]);
      expect(await allOf(channel)).toEqual([1, 2]);
      await Promise.all(sends);
    },
    50,
  );

  inBothRuntimes(
    "closes when the send that was waited for is given up",
    async () => {
      const channel = new Channel<number>();
      const sender = countedSender(channel);
      const { ctx, cancel } = withCancel(background);
      const sending = ended(sender.send(1, ctx));
      await settle();
      sender.close();
      cancel();
      expect(await sending).toMatchObject({ error: { code: "CANCELED" } });
      expect(await allOf(channel)).toEqual([]);
    },
    50,
  );

  inBothRuntimes(
    "with an error closes the channel with that at once",
    async () => {
      const broken = new Error("broken");
      const channel = new Channel<number>(1);
      const first = countedSender(channel);
      const second = first.clone();
      await second.send(1);
      const waiting = failureOf(second.send(2));
      await settle();
      first.close(broken);
      expect(await waiting).toMatchObject({ code: "CLOSED", cause: broken });
      expect(second.closed).toBe(true);
      second.close();
      expect(await channel.receive()).toEqual({ value: 1, done: false });
      expect(await failureOf(channel.receive())).toBe(broken);
    },
    20,
  );

  test("refuses what comes after its close, and does nothing the second time", async () => {
    const channel = new Channel<number>(4);
    const first = countedSender(channel);
    const second = first.clone();
    {
      using scoped = first.clone();
      expect(scoped.trySend(1)).toBe(true);
    }
    first.close();
    first.close();
    expect(channel.closed).toBe(false);
    expect(await failureOf(first.send(2))).toMatchObject({
      code: "CLOSED",
      message: "send on closed sender",
    });
    expect(thrownBy(() => first.trySend(2))).toMatchObject({ code: "CLOSED" });
    expect(thrownBy(() => first.clone())).toMatchObject({ message: "clone of closed sender" });
    second.close();
    expect(channel.closed).toBe(true);
  });

  test("does not mind that somebody else has closed the channel", async () => {
    const channel = new Channel<number>(1);
    const sender = countedSender(channel);
    channel.close();
    expect(sender.closed).toBe(true);
    expect(await failureOf(sender.send(1))).toMatchObject({ message: "send on closed channel" });
    sender.close();
    sender.close(new Error("late"));
  });
});
