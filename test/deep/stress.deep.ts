import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { expect, test } from "vitest";
import { say, share } from "./share.ts";

test("1 million races of a cancel with a send lose no value", async () => {
  const races = share(1_000_000);
  const channel = new Channel<number>();
  let [sent, refused, received] = [0, 0, 0];
  for (let n = 0; n < races; n++) {
    const { ctx, cancel } = withCancel(background);
    const taking = channel.receive(ctx).then(
      () => received++,
      () => {},
    );
    if (n % 2 === 0) cancel();
    const giving = channel.send(n, n % 3 === 0 ? ctx : undefined).then(
      () => sent++,
      () => refused++,
    );
    cancel();
    while (channel.tryReceive() !== undefined) received++;
    await Promise.all([taking, giving]);
  }
  say(`${races} races: ${sent} sent, ${refused} given up, ${received} received`);
  expect([sent + refused, received]).toEqual([races, sent]);
});

test("the heap grows by at most 1 MiB in 100,000 operations of any kind", () => {
  const script = fileURLToPath(new URL("../heap/measure.mjs", import.meta.url));
  const args = ["--expose-gc", script, String(Math.max(10_000, share(100_000)))];
  const grown = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Record<
    string,
    number
  >;
  say(`heap: ${JSON.stringify(grown)}`);
  expect(Object.entries(grown).filter(([, bytes]) => bytes > 1024 * 1024)).toEqual([]);
});

test("how late a timer of 10 ms is while two tasks exchange values, for the record", async () => {
  const start = performance.now();
  let [lateMs, exchanged] = [Number.NaN, 0];
  setTimeout(() => {
    lateMs = performance.now() - start - 10;
  }, 10);
  const channel = new Channel<number>();
  await TaskGroup.run((group) => {
    group.go(async () => {
      while (Number.isNaN(lateMs)) await channel.send(1);
      channel.close();
    });
    group.go(async () => {
      for await (const n of channel) exchanged += n;
    });
  });
  say(`a timer of 10 ms was ${lateMs.toFixed(1)} ms late, after ${exchanged} values; at most 50 are allowed`);
  expect(lateMs).toBeLessThanOrEqual(50);
});
