import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { receive, select } from "concurrency-model-patterns/select";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { simulate } from "concurrency-model-patterns/testing";
import { describe, expect, test, vi } from "vitest";
import { type QueueNode, WaiterQueue } from "../../src/core/waiter-queue.ts";
import { hostGetsItsTurn } from "../support/listeners.ts";

describe("a select of cases that are always ready", () => {
  test.each([2, 4])("gives each of %i the same share", async (count) => {
    const trials = 10_000;
    const { value: shares } = await simulate(
      async () => {
        const channels = Array.from({ length: count }, () => new Channel<number>(1));
        const cases = Object.fromEntries(channels.map((channel, index) => [`${index}`, receive(channel)]));
        const taken = Array.from({ length: count }, () => 0);
        for (let n = 0; n < trials; n++) {
          for (const channel of channels) channel.trySend(n);
          const { key } = await select(cases);
          taken[Number(key)] = (taken[Number(key)] ?? 0) + 1;
        }
        return taken.map((times) => times / trials);
      },
      { seed: 1 },
    );
    for (const share of shares) expect(Math.abs(share - 1 / count)).toBeLessThan(0.0245);
  });
});

test("of 400,000 values over four channels and ten tasks none is lost or doubled", async () => {
  const each = 100_000;
  const channels = [0, 1, 8, Number.POSITIVE_INFINITY].map((capacity) => new Channel<number>(capacity));
  const seen = channels.map(() => new Uint8Array(each));
  await TaskGroup.run((group) => {
    for (const channel of channels)
      group.go(async () => {
        for (let n = 0; n < each; n++) await channel.send(n);
        channel.close();
      });
    for (let receiver = 0; receiver < 6; receiver++)
      group.go(async () => {
        const index = receiver % channels.length;
        for await (const n of channels[index] as Channel<number>) count(seen[index] as Uint8Array, n);
      });
  });
  expect(seen.map((counts) => counts.every((count) => count === 1))).toEqual([true, true, true, true]);
});

test("in 100,000 races of a cancel with a send no value is lost", async () => {
  const channel = new Channel<number>();
  let [sent, refused, received] = [0, 0, 0];
  for (let n = 0; n < 100_000; n++) {
    const { ctx, cancel } = withCancel(background);
    const taking = channel.receive(ctx).then(
      () => received++,
      () => {},
    );
    const giving = channel.send(n, n % 3 === 0 ? ctx : undefined).then(
      () => sent++,
      () => refused++,
    );
    if (n % 2 === 0) cancel();
    if (n % 4 === 1) await taking;
    cancel();
    while (channel.tryReceive() !== undefined) received++;
    await Promise.all([taking, giving]);
  }
  expect([sent + refused, received]).toEqual([100_000, sent]);
});

test("one of 100,000 who wait leaves without a look at the others", async () => {
  const semaphore = new Semaphore(1);
  const release = semaphore.tryAcquire();
  const scopes = Array.from({ length: 100_000 }, () => withCancel(background));
  const nodes: QueueNode[] = [];
  const pushing = vi.spyOn(WaiterQueue.prototype, "push");
  const waits = scopes.map(({ ctx }) =>
    semaphore.acquire(1, ctx).then(
      (permit) => permit(),
      () => {},
    ),
  );
  for (const [node] of pushing.mock.calls) nodes.push(node);
  pushing.mockRestore();
  // Each waits in the list of the semaphore and in that of its context. All of a scan would pass some of these.
  const seen = nodes.filter((_, index) => index % 500 === 0 || Math.abs(index - 100_000) < 5);
  const steps = countingSteps(seen, () => scopes[50_000]?.cancel());
  expect([semaphore.waiting, nodes.length]).toEqual([99_999, 200_000]);
  expect(steps).toBeGreaterThan(0);
  expect(steps).toBeLessThan(20);
  release?.();
  await Promise.all(waits);
});

/** How many steps from one to the next in their lists are made while `act` runs. */
function countingSteps(nodes: readonly QueueNode[], act: () => void): number {
  let steps = 0;
  const links = nodes.map(({ next }) => next);
  for (const [index, node] of nodes.entries()) {
    Object.defineProperty(node, "next", {
      configurable: true,
      get() {
        steps++;
        return links[index];
      },
      set(next: QueueNode | undefined) {
        links[index] = next;
      },
    });
  }
  act();
  for (const [index, node] of nodes.entries())
    Object.defineProperty(node, "next", { value: links[index], writable: true, configurable: true });
  return steps;
}

test("two tasks that exchange values for ever let a timer have its turn", async () => {
  const inTime = await hostGetsItsTurn(async (over) => {
    const [there, back] = [new Channel<number>(), new Channel<number>()];
    await TaskGroup.run((group) => {
      group.go(async () => {
        while (!over()) {
          await there.send(1);
          await back.receive();
        }
        there.close();
      });
      group.go(async () => {
        for await (const n of there) await back.send(n);
      });
    });
  });
  expect(inTime).toBe(true);
});

function count(counts: Uint8Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}
