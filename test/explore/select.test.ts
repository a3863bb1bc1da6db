import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { after, done, receive, select, send, settled, trySelect } from "concurrency-model-patterns/select";
import { now, sleep } from "concurrency-model-patterns/timers";
import { ended } from "../support/outcomes.ts";
import { inEveryOrder } from "../support/explored.ts";
import { check, sorted, step, together } from "../support/programs.ts";

inEveryOrder("a select", {
  "takes one of two that are ready": async () => {
    const [one, two] = [new Channel<number>(1), new Channel<number>(1)];
    check(one.trySend(1) && two.trySend(2), "no room");
    await select({ one: receive(one), two: receive(two) });
    check(one.size + two.size === 1, "not exactly one was taken");
  },
  "takes the first of those that are ready, by priority": async () => {
    const [one, two] = [new Channel<number>(1), new Channel<number>(1)];
    check(one.trySend(1) && two.trySend(2), "no room");
    const { key } = await select({ one: receive(one), two: receive(two) }, { order: "priority" });
    check(key === "one", key);
  },
  "two of them share what is sent": async () => {
    const [one, two] = [new Channel<number>(), new Channel<number>(1)];
    const seen: number[] = [];
    const take = async (): Promise<void> => {
      const { value } = await select({ one: receive(one), two: receive(two) });
      seen.push(value ?? 0);
    };
    await together(take, take, async () => {
      await one.send(1);
      await two.send(2);
    });
    check(sorted(seen) === "1,2", seen.join());
  },
  "two of them meet": async () => {
    const channel = new Channel<number>();
    const seen: string[] = [];
    const meet = async (): Promise<void> =>
      void seen.push((await select({ sent: send(channel, 1), got: receive(channel) })).key);
    await together(meet, meet);
    check(sorted(seen) === "got,sent", seen.join());
  },
  "does not choose a delay before its time": async () => {
    const words = new Channel<string>();
    await together(
      async () => {
        const { key } = await select({ word: receive(words), late: after(5) });
        check(key === "word" || now() === 5, "too early");
        if (key === "late") await words.receive();
      },
      async () => {
        await sleep(5);
        await words.send("go");
      },
    );
  },
  "takes nothing if it is cancelled": async () => {
    const channel = new Channel<number>(1);
    const { ctx, cancel } = withCancel(background);
    let got = 0;
    await together(
      async () => {
        if ("value" in (await ended(select({ got: receive(channel) }, ctx)))) got++;
      },
      () => channel.send(1),
      () => cancel(),
    );
    check(got + channel.size === 1, `${got} received and ${channel.size} left`);
  },
  "sees the end of a context or the value, not both": async () => {
    const channel = new Channel<number>(1);
    const { ctx, cancel } = withCancel(background);
    let key = "";
    await together(
      async () => (key = (await select({ got: receive(channel), end: done(ctx) })).key),
      () => channel.send(1),
      () => cancel(),
    );
    check((key === "got") === (channel.size === 0), key);
  },
  "sees the outcome of a promise or the value, not both": [
    async () => {
      const channel = new Channel<number>(1);
      let resolve = (): void => {};
      const promise = new Promise<void>((yes) => (resolve = yes));
      let key = "";
      await together(
        async () => (key = (await select({ got: receive(channel), outcome: settled(promise) })).key),
        () => channel.send(1),
        async () => {
          await step();
          resolve();
        },
      );
      check((key === "got") === (channel.size === 0), key);
      return key;
    },
    "got",
    "outcome",
  ],
  "without waiting never takes what is not there": async () => {
    const channel = new Channel<number>(1);
    let got = 0;
    await together(
      () => channel.send(1),
      () => {
        if (trySelect({ got: receive(channel) }) !== undefined) got++;
      },
    );
    check(got + channel.size === 1, "not exactly one");
  },
  "without waiting always takes what is there, though it moves from one channel to the other": async () => {
    const [one, two] = [new Channel<number>(1), new Channel<number>(1)];
    await one.send(1);
    let missed = 0;
    await together(
      async () => {
        await step();
        if (trySelect({ one: receive(one), two: receive(two) }) === undefined) missed++;
      },
      async () => {
        await two.send(2);
        await step();
        trySelect({ one: receive(one) });
      },
    );
    check(missed === 0, "nothing was there");
  },
  "without waiting always takes what is there, be it an end": async () => {
    const [one, two] = [new Channel<number>(1), new Channel<number>()];
    await one.send(1);
    let missed = 0;
    await together(
      async () => {
        await step();
        if (trySelect({ one: receive(one), two: receive(two) }) === undefined) missed++;
      },
      async () => {
        two.close();
        await step();
        trySelect({ one: receive(one) });
      },
    );
    check(missed === 0, "nothing was there");
  },
  "two in a row, over two channels, meet two senders and lose nothing": async () => {
    const [one, two] = [new Channel<number>(), new Channel<number>()];
    const seen: (number | undefined)[] = [];
    const take = async (): Promise<void> => {
      for (let n = 0; n < 2; n++) seen.push((await select({ one: receive(one), two: receive(two) })).value);
    };
    await together(
      take,
      () => one.send(1),
      () => two.send(2),
    );
    check(sorted(seen) === "1,2", seen.join());
    check(one.waiting.receivers + two.waiting.receivers === 0, "a case is left behind");
  },
  "a send case delivers once, to one of two": [
    async () => {
      const [one, two] = [new Channel<string>(), new Channel<string>()];
      const { ctx, cancel } = withCancel(background);
      const seen: string[] = [];
      const take = (channel: Channel<string>) => async (): Promise<void> => {
        const end = await ended(channel.receive(ctx));
        if ("value" in end) seen.push((end.value as { value: string }).value);
      };
      await together(take(one), take(two), async () => {
        await select({ one: send(one, "one"), two: send(two, "two") });
        cancel();
      });
      return seen.join();
    },
    "one",
    "two",
  ],
  "a channel that closes is ready": [
    async () => {
      const [one, two] = [new Channel<number>(), new Channel<number>(1)];
      let way = "";
      await together(
        async () => {
          const { key, done: closed } = await select({ one: receive(one), two: receive(two) });
          way = `${key} ${closed}`;
        },
        () => one.close(),
        () => two.send(1),
      );
      return way;
    },
    "one true",
    "two false",
  ],
});
