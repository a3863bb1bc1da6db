import { Channel, type ReceiveEnd, type SendEnd } from "concurrency-model-patterns/channel";
import { after, receive, select, send, trySelect } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { describe, expect, test } from "vitest";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended, failureOf, thrownBy } from "../support/outcomes.ts";

const broken = new Error("the source broke");

describe("Channel: close with an error", () => {
  inBothRuntimes(
    "leaves what is buffered to be received in order, then fails for ever",
    async () => {
      const channel = new Channel<number>(3);
      for (const n of [1, 2, 3]) await channel.send(n);
      channel.close(broken);
      expect(channel.closed).toBe(true);
      for (const n of [1, 2]) expect(await channel.receive()).toEqual({ value: n, done: false });
      expect(channel.tryReceive()).toEqual({ value: 3, done: false });
      for (let again = 0; again < 3; again++) {
        expect(await failureOf(channel.receive())).toBe(broken);
        expect(thrownBy(() => channel.tryReceive())).toBe(broken);
      }
    },
    20,
  );

  inBothRuntimes(
    "fails every waiting receiver with it, also one in a select",
    async () => {
      const channel = new Channel<number>();
      const plain = [1, 2].map(() => ended(channel.receive()));
      const selecting = ended(select({ got: receive(channel), late: after(1e6) }));
      await settle();
      channel.close(broken);
      expect(channel.waiting).toEqual({ senders: 0, receivers: 0 });
      for (const end of await Promise.all([...plain, selecting])) expect(end).toEqual({ error: broken });
      expect(await failureOf(select({ got: receive(channel), late: after(1e6) }))).toBe(broken);
      expect(thrownBy(() => trySelect({ got: receive(channel) }))).toBe(broken);
    },
    50,
  );

  inBothRuntimes(
    "fails senders with ClosedError, of which it is the cause",
    async () => {
      const channel = new Channel<number>();
      const waiting = failureOf(channel.send(1));
      const selecting = failureOf(select({ sent: send(channel, 2) }));
      await settle();
      channel.close(broken);
      const closed = { code: "CLOSED", message: "send on closed channel", cause: broken };
      for (const error of [await waiting, await selecting, await failureOf(channel.send(3))])
        expect(error).toMatchObject(closed);
      expect(thrownBy(() => channel.trySend(4))).toMatchObject(closed);
    },
    50,
  );

  inBothRuntimes(
    "comes out of a loop, after the values",
    async () => {
      const channel = new Channel<number>(1);
      const seen: number[] = [];
      await TaskGroup.run(async (group) => {
        group.go(async () => {
          for (const n of [1, 2]) await channel.send(n, group.ctx);
          channel.close(broken);
        });
        const reading = async (): Promise<void> => {
          for await (const value of channel) seen.push(value);
        };
        expect(await failureOf(reading())).toBe(broken);
      });
      expect(seen).toEqual([1, 2]);
    },
    50,
  );

  test("may be anything but undefined, which is no error", async () => {
    for (const reason of [null, 0, "", false]) {
      const channel = new Channel<number>();
      channel.close(reason);
      expect(await failureOf(channel.receive())).toBe(reason);
    }
    const channel = new Channel<number>();
    channel.close(undefined);
    expect(await channel.receive()).toEqual({ value: undefined, done: true });
  });

  test("fails the second time, as a plain close does", () => {
    const channel = new Channel<number>();
    channel.close(broken);
    expect(thrownBy(() => channel.close())).toMatchObject({ code: "MISUSE" });
  });

  test("comes after a cancellation that was first", async () => {
    const channel = new Channel<number>();
    channel.close(broken);
    const reason = new Error("gone");
    expect(await failureOf(channel.receive({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe("Channel: its ends", () => {
  inBothRuntimes(
    "are enough for tasks that only send or only receive, also in a select",
    async () => {
      const channel = new Channel<number>();
      const produce = async (out: SendEnd<number>): Promise<void> => {
        await out.send(1);
        await select({ sent: send(out, 2) });
        out.close();
      };
      const consume = async (input: ReceiveEnd<number | string>): Promise<unknown[]> => {
        const first = await select({ got: receive(input) });
        const rest: unknown[] = [];
        for await (const value of input) rest.push(value);
        return [first.value, ...rest];
      };
      const seen = await TaskGroup.run(async (group) => {
        group.go(() => produce(channel));
        return consume(channel);
      });
      expect(seen).toEqual([1, 2]);
    },
    50,
  );
});
