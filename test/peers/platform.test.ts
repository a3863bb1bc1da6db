/** What the platform itself keeps for ever, so that nothing here is built on it. Needs `--expose-gc`. */
import { Channel } from "concurrency-model-patterns/channel";
import { withCancel } from "concurrency-model-patterns/context";
import { receive, select } from "concurrency-model-patterns/select";
import { expect, test } from "vitest";

const TIMES = 100_000;
const MIB = 1024 * 1024;

/** How much memory many calls leave behind, in MiB, while `keep` is in use. */
async function leftBy(call: () => unknown, keep: unknown): Promise<number> {
  const used = async (): Promise<number> => {
    for (let round = 0; round < 5; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      (globalThis as { gc?: () => void }).gc?.();
    }
    return process.memoryUsage().heapUsed;
  };
  for (let warm = 0; warm < 1000; warm++) await call();
  const before = await used();
  for (let time = 0; time < TIMES; time++) await call();
  const after = await used();
  expect(keep).toBeDefined();
  return (after - before) / MIB;
}

test("a promise that never settles keeps what has raced against it; a channel does not keep who has waited", async () => {
  const never = new Promise<never>(() => {});
  const theirs = await leftBy(() => Promise.race([never, Promise.resolve(1)]), never);
  const silent = new Channel<number>();
  const busy = new Channel<number>(1);
  const chosen = async (): Promise<unknown> => {
    const waiting = select({ silent: receive(silent), busy: receive(busy) });
    await busy.send(1);
    return waiting;
  };
  const ours = await leftBy(chosen, silent);
  expect(theirs).toBeGreaterThan(10);
  expect(ours).toBeLessThan(1);
});

test("a signal keeps what was derived from it with AbortSignal.any; a context forgets who was cancelled", async () => {
  const controller = new AbortController();
  const theirs = await leftBy(() => AbortSignal.any([controller.signal]), controller);
  const parent = withCancel({ signal: controller.signal });
  const ours = await leftBy(() => withCancel(parent.ctx).cancel(), parent);
  parent.cancel();
  expect(theirs).toBeGreaterThan(4);
  expect(ours).toBeLessThan(1);
});
