import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { countedSender } from "concurrency-model-patterns/counted-sender";
import { inEveryOrder } from "../support/explored.ts";
import { check, how, sorted, together } from "../support/programs.ts";

/** What arrives until the channel is closed. */
async function all(channel: Channel<number>): Promise<number[]> {
  const seen: number[] = [];
  for await (const value of channel) seen.push(value);
  return seen;
}

inEveryOrder("counted senders", {
  "the last of two closes the channel": async () => {
    const channel = new Channel<number>(1);
    const first = countedSender(channel);
    const second = first.clone();
    let seen: number[] = [];
    await together(
      () => first.send(1).then(() => first.close()),
      () => second.send(2).then(() => second.close()),
      async () => {
        seen = await all(channel);
      },
    );
    check(sorted(seen) === "1,2", seen.join());
  },
  "a send that waits is delivered although its sender has been closed": async () => {
    const channel = new Channel<number>();
    const sender = countedSender(channel);
    let seen: number[] = [];
    await together(
      async () => {
        const sent = sender.send(1);
        sender.close();
        await sent;
      },
      async () => {
        seen = await all(channel);
      },
    );
    check(seen.join() === "1" && channel.closed, seen.join());
  },
  "no sender closes it for another": async () => {
    const channel = new Channel<number>(2);
    const first = countedSender(channel);
    const second = first.clone();
    await together(
      () => first.close(),
      async () => {
        check((await how(second.send(1))) === "ok", "closed too early");
        second.close();
      },
    );
    check(channel.closed && channel.size === 1, `${channel.size}`);
  },
  "closing twice counts once": async () => {
    const channel = new Channel<number>(1);
    const first = countedSender(channel);
    const second = first.clone();
    const close = (): void => first.close();
    await together(close, close, async () => {
      await second.send(1);
      check(!channel.closed, "closed too early");
    });
    second.close();
    check(channel.closed, "still open");
  },
  "a cancelled send of a closed sender lets the channel close": [
    async () => {
      const channel = new Channel<number>();
      const sender = countedSender(channel);
      const { ctx, cancel } = withCancel(background);
      let [end, seen] = ["", ""];
      await together(
        async () => {
          const sent = how(sender.send(1, ctx));
          sender.close();
          end = await sent;
        },
        async () => {
          seen = (await all(channel)).join();
        },
        () => cancel(),
      );
      check((end === "ok") === (seen === "1") && channel.closed, `${end} ${seen}`);
      return end;
    },
    "canceled",
    "ok",
  ],
  "an error closes it for all": [
    async () => {
      const channel = new Channel<number>(1);
      const first = countedSender(channel);
      const second = first.clone();
      let end = "";
      await together(
        () => first.close(new Error("broken")),
        async () => {
          end = await how(second.send(1));
          second.close();
        },
      );
      check(channel.closed && channel.size === (end === "ok" ? 1 : 0), end);
      return end;
    },
    "closed",
    "ok",
  ],
});
