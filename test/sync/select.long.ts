/** A select at length: as much as Go's own tests of it do. */
import { Channel } from "concurrency-model-patterns/channel";
import { receive, select, send, trySelect } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { expect, test } from "vitest";
import { crowd } from "./crowd.ts";

test("a select commits exactly one of four channels: 100,000 values arrive once each", async () => {
  const values = 100_000;
  const [a, b, c, d] = [
    new Channel<number>(),
    new Channel<number>(),
    new Channel<number>(),
    new Channel<number>(),
  ];
  const merged = new Channel<number>();
  const seen = new Uint8Array(values);
  await TaskGroup.run(async (group) => {
    const receivers = [a, b, c, d].map((channel) =>
      group.go(async () => {
        for await (const n of channel) await merged.send(n);
      }),
    );
    group.go(async () => {
      for (let n = 0; n < values; n++)
        await select({ a: send(a, n), b: send(b, n), c: send(c, n), d: send(d, n) });
      for (const channel of [a, b, c, d]) channel.close();
      for (const receiver of receivers) await receiver.join();
      merged.close();
    });
    for await (const n of merged) seen[n] = (seen[n] ?? 0) + 1;
  });
  expect(seen.every((times) => times === 1)).toBe(true);
});

test.each(["a value", "an end"])(
  "a select that does not wait sees %s that is there, in 100,000 races",
  async (what) => {
    let missed = 0;
    for (let race = 0; race < 100_000; race++) {
      const [one, two] = [new Channel<number>(1), new Channel<number>(1)];
      one.trySend(1);
      const look = async (turns: number): Promise<void> => {
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        if (trySelect({ one: receive(one), two: receive(two) }) === undefined) missed++;
      };
      const looking = look(race % 4);
      if (race % 2 === 0) await Promise.resolve();
      if (what === "a value") two.trySend(1);
      else two.close();
      if (race % 3 === 0) await Promise.resolve();
      trySelect({ one: receive(one) });
      await looking;
    }
    expect(missed).toBe(0);
  },
);

test("ten tasks on four channels lose none of 100,000 values each", async () => {
  await expect(crowd(100_000)).resolves.toBe(800_000);
});
