import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { receiveMany } from "concurrency-model-patterns/receive-many";
import { sleep } from "concurrency-model-patterns/timers";
import { inEveryOrder } from "../support/explored.ts";
import { check, how, sorted, together } from "../support/programs.ts";

inEveryOrder("receiving many", {
  "gives what is there, at least one": [
    async () => {
      const channel = new Channel<number>(2);
      let got: number[] = [];
      await together(
        async () => {
          await channel.send(1);
          await channel.send(2);
        },
        async () => {
          got = await receiveMany(channel, 2);
        },
      );
      check(got.length + channel.size === 2 && got[0] === 1, got.join());
      return got.join();
    },
    "1",
    "1,2",
  ],
  "waits for its least": async () => {
    const channel = new Channel<number>(1);
    let got: number[] = [];
    await together(
      async () => {
        for (const n of [1, 2, 3]) await channel.send(n);
      },
      async () => {
        got = await receiveMany(channel, 3, { min: 3 });
      },
    );
    check(got.join() === "1,2,3", got.join());
  },
  "two share the values, and lose none": async () => {
    const channel = new Channel<number>(2);
    const got: number[] = [];
    const take = async (): Promise<void> => {
      got.push(...(await receiveMany(channel, 2)));
    };
    await together(
      async () => {
        await channel.send(1);
        await channel.send(2);
        channel.close();
      },
      take,
      take,
    );
    check(sorted(got) === "1,2", got.join());
  },
  "gives less once the channel is closed": async () => {
    const channel = new Channel<number>();
    let got: number[] = [];
    await together(
      async () => {
        await channel.send(1);
        channel.close();
      },
      async () => {
        got = await receiveMany(channel, 3, { min: 2 });
      },
    );
    check(got.join() === "1", got.join());
  },
  "given up, gives what it has": [
    async () => {
      const channel = new Channel<number>(1);
      const { ctx, cancel } = withCancel(background);
      let got: number[] = [];
      let end = "";
      await together(
        () => channel.send(1),
        async () => {
          const many = receiveMany(channel, 2, { min: 2, signal: ctx.signal });
          end = await how(many);
          if (end === "ok") got = await many;
        },
        () => cancel(),
      );
      check(got.length + channel.size === 1, `${got.length} and ${channel.size}`);
      return end;
    },
    "canceled",
    "ok",
  ],
  "an error comes after the values": [
    async () => {
      const channel = new Channel<number>(2);
      const ends: string[] = [];
      await together(
        async () => {
          await channel.send(1);
          channel.close(new Error("broken"));
        },
        async () => {
          for (let n = 0; n < 2; n++) ends.push(await how(receiveMany(channel, 2, { min: 2 })));
        },
      );
      return ends.join();
    },
    "ok,Error: broken",
  ],
  "a batch is full, or as old as the deadline": [
    async () => {
      const channel = new Channel<number>(2);
      let got: number[] = [];
      const { ctx } = withTimeout(background, 2);
      await together(
        async () => {
          await channel.send(1);
          await sleep(2);
          await channel.send(2);
        },
        async () => {
          got = await receiveMany(channel, 2, { min: 2, signal: ctx.signal });
        },
      );
      check(got.length + channel.size === 2, got.join());
      return got.join();
    },
    "1",
    "1,2",
  ],
});
