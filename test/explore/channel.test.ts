import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { ended } from "../support/outcomes.ts";
import { inEveryOrder } from "../support/explored.ts";
import { check, how, sorted, together } from "../support/programs.ts";

inEveryOrder("a channel", {
  "a rendezvous hands over one value": async () => {
    const channel = new Channel<number>();
    let got: unknown;
    await together(
      () => channel.send(7),
      async () => (got = (await channel.receive()).value),
    );
    check(got === 7, "the value is lost");
  },
  "a buffer keeps the order of one sender": async () => {
    const channel = new Channel<number>(1);
    const seen: number[] = [];
    await together(
      async () => {
        for (const n of [1, 2, 3]) await channel.send(n);
        channel.close();
      },
      async () => {
        for await (const n of channel) seen.push(n);
      },
    );
    check(seen.join() === "1,2,3", seen.join());
  },
  "each value goes to one of two receivers": async () => {
    const channel = new Channel<number>(2);
    const seen: (number | undefined)[] = [];
    const take = async (): Promise<void> => void seen.push((await channel.receive()).value);
    await together(
      async () => {
        await channel.send(1);
        await channel.send(2);
      },
      take,
      take,
    );
    check(sorted(seen) === "1,2", seen.join());
  },
  "two senders lose nothing": async () => {
    const channel = new Channel<string>();
    const seen: unknown[] = [];
    await together(
      () => channel.send("a"),
      () => channel.send("b"),
      async () => {
        for (let n = 0; n < 2; n++) seen.push((await channel.receive()).value);
      },
    );
    check(sorted(seen) === "a,b", seen.join());
  },
  "closing wakes who receives": async () => {
    const channel = new Channel<number>();
    let ends = 0;
    const end = async (): Promise<void> => {
      if ((await channel.receive()).done === true) ends++;
    };
    await together(end, end, () => channel.close());
    check(ends === 2, `${ends} ends`);
  },
  "a cancelled receive has taken nothing": async () => {
    const channel = new Channel<number>(1);
    const { ctx, cancel } = withCancel(background);
    let got = 0;
    await together(
      async () => {
        if ("value" in (await ended(channel.receive(ctx)))) got++;
      },
      () => channel.send(1),
      () => cancel(),
    );
    check(got + channel.size === 1, `${got} received and ${channel.size} left`);
  },
  "a cancelled send delivers nothing": async () => {
    const channel = new Channel<number>();
    const { ctx, cancel } = withCancel(background);
    let sent = 0;
    let got = 0;
    await together(
      async () => {
        if ("value" in (await ended(channel.send(1, ctx)))) sent++;
        channel.close();
      },
      async () => {
        if ((await channel.receive()).done !== true) got++;
      },
      () => cancel(),
    );
    check(sent === got, `${sent} sent and ${got} received`);
  },
  "two senders meet one receiver, each value once, each sender's in order": async () => {
    const channel = new Channel<string>();
    const seen: string[] = [];
    const give = (name: string) => async (): Promise<void> => {
      await channel.send(`${name}1`);
      await channel.send(`${name}2`);
    };
    const take = async (): Promise<void> => {
      for (let n = 0; n < 3; n++) seen.push((await channel.receive()).value ?? "");
    };
    await together(give("a"), () => channel.send("b"), take);
    check(sorted(seen) === "a1,a2,b", seen.join());
    check(seen.indexOf("a1") < seen.indexOf("a2"), seen.join());
  },
  "a close fails who waits to send, and leaves what is buffered": [
    async () => {
      const channel = new Channel<number>(1);
      const ends: string[] = [];
      const give = (n: number) => async (): Promise<void> => void ends.push(await how(channel.send(n)));
      await together(give(1), give(2), () => channel.close());
      const sent = ends.filter((end) => end === "ok").length;
      check(channel.size === sent && channel.waiting.senders === 0, `${channel.size} of ${sent}`);
      return sorted(ends);
    },
    "closed,closed",
    "closed,ok",
  ],
  "a close with an error is what receivers get, after the values": [
    async () => {
      const channel = new Channel<number>(1);
      const seen: string[] = [];
      const take = async (): Promise<void> => {
        seen.push(await how(channel.receive()));
      };
      await together(
        async () => {
          await channel.send(1);
          channel.close(new Error("broken"));
        },
        take,
        take,
      );
      return sorted(seen);
    },
    "Error: broken,ok",
  ],
  "dropping the oldest keeps the newest": [
    async () => {
      const dropped: number[] = [];
      const channel = new Channel<number>(1, {
        overflow: "drop-oldest",
        onDrop: (value) => void dropped.push(value),
      });
      const seen: number[] = [];
      await together(
        async () => {
          for (const n of [1, 2, 3]) await channel.send(n);
          channel.close();
        },
        async () => {
          for await (const n of channel) seen.push(n);
        },
      );
      check(sorted([...seen, ...dropped]) === "1,2,3" && channel.dropped === dropped.length, seen.join());
      return seen.join();
    },
    "1,2,3",
    "1,3",
    "2,3",
    "3",
  ],
  "dropping the newest keeps the oldest": [
    async () => {
      const channel = new Channel<number>(1, { overflow: "drop-newest" });
      const seen: number[] = [];
      await together(
        async () => {
          for (const n of [1, 2, 3]) await channel.send(n);
          channel.close();
        },
        async () => {
          for await (const n of channel) seen.push(n);
        },
      );
      check(seen.length + channel.dropped === 3, seen.join());
      return seen.join();
    },
    "1",
    "1,2",
    "1,2,3",
    "1,3",
  ],
  "with no room a send fails, or its value arrives": async () => {
    const channel = new Channel<number>(1, { overflow: "error" });
    const ends: string[] = [];
    let got = 0;
    await together(
      async () => {
        for (const n of [1, 2, 3]) ends.push(await how(channel.send(n)));
        channel.close();
      },
      async () => {
        for await (const _ of channel) got++;
      },
    );
    const sent = ends.filter((end) => end === "ok").length;
    check(sent === got && !ends.includes("closed"), ends.join());
  },
  "merging loses nothing of a sum": [
    async () => {
      const channel = new Channel<number>(1, { overflow: { conflate: (older, newer) => older + newer } });
      const seen: number[] = [];
      await together(
        async () => {
          for (const n of [1, 2, 4]) await channel.send(n);
          channel.close();
        },
        async () => {
          for await (const n of channel) seen.push(n);
        },
      );
      check(seen.reduce((a, b) => a + b) === 7, seen.join());
      return seen.join();
    },
    "1,2,4",
    "1,6",
    "3,4",
    "7",
  ],
  "a sender that leaves the queue does not take the place of the next": async () => {
    const channel = new Channel<string>();
    const { ctx, cancel } = withCancel(background);
    const seen: unknown[] = [];
    let first = "";
    await together(
      async () => {
        first = await how(channel.send("a", ctx));
      },
      () => channel.send("b"),
      () => cancel(),
      async () => {
        seen.push((await channel.receive()).value);
        if (seen[0] === "a") seen.push((await channel.receive()).value);
      },
    );
    if (first === "ok" && !seen.includes("a")) seen.push((await channel.receive()).value);
    check(seen.includes("b") && seen.includes("a") === (first === "ok"), `${seen.join()} ${first}`);
  },
});
