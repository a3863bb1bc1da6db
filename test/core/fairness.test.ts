import { Channel } from "concurrency-model-patterns/channel";
import { RwLock } from "concurrency-model-patterns/rw-lock";
import { receive, select } from "concurrency-model-patterns/select";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { WaitGroup } from "concurrency-model-patterns/wait-group";
import { describe, expect, test, vi } from "vitest";
import { bareRuntime } from "../../src/core/bare-runtime.ts";
import { afterTurn, completed } from "../../src/core/fairness.ts";
import { hostGetsItsTurn } from "../support/listeners.ts";

/** Each waits once, and is granted in the same step. None of them goes on without having waited. */
const waits: Record<string, () => () => Promise<unknown>> = {
  "a receive": () => {
    const channel = new Channel<number>();
    return () => {
      const received = channel.receive();
      channel.trySend(1);
      return received;
    };
  },
  "a send": () => {
    const channel = new Channel<number>();
    return () => {
      const sent = channel.send(1);
      channel.tryReceive();
      return sent;
    };
  },
  "a select": () => {
    const channel = new Channel<number>();
    return () => {
      const chosen = select({ value: receive(channel) });
      channel.trySend(1);
      return chosen;
    };
  },
  "an acquire": () => {
    const semaphore = new Semaphore(1);
    let release = semaphore.tryAcquire();
    return async () => {
      const acquired = semaphore.acquire();
      release?.();
      release = await acquired;
    };
  },
  "a write lock": () => {
    const lock = new RwLock();
    let unlock = lock.tryWriteLock();
    return async () => {
      const locked = lock.writeLock();
      unlock?.();
      unlock = await locked;
    };
  },
  "a wait group": () => {
    const group = new WaitGroup();
    return () => {
      group.add(1);
      const waited = group.wait();
      group.done();
      return waited;
    };
  },
};

describe("a task that is granted again and again what it waits for", () => {
  test.each(Object.entries(waits))("lets the host have its turn: %s", async (_, make) => {
    const wait = make();
    const turn = await hostGetsItsTurn(async (over) => {
      while (!over()) await wait();
    });
    expect(turn).toBe(true);
  });
});

test("the host has its turn also after a test's clock, which was far ahead, has been put away", async () => {
  const wait = waits["a receive"]?.() as () => Promise<unknown>;
  const spy = vi.spyOn(performance, "now").mockReturnValue(1e12);
  const ahead = { turned: false };
  setImmediate(() => {
    ahead.turned = true;
  });
  try {
    for (let waited = 0; !ahead.turned && waited < 1_000_000; waited++) await wait();
  } finally {
    spy.mockRestore();
  }
  expect(ahead.turned).toBe(true);
  const turn = await hostGetsItsTurn(async (over) => {
    while (!over()) await wait();
  });
  expect(turn).toBe(true);
});

test("while somebody waits for a turn that is not due yet, completions come after it, in order", async () => {
  const spy = vi.spyOn(performance, "now").mockReturnValue(1e6);
  const seen: string[] = [];
  try {
    // From here on nothing is spent of the time that the host may be kept waiting.
    await new Promise<void>((resolve) => afterTurn(resolve));
    const turn = new Promise<void>((resolve) => afterTurn(resolve)).then(() => seen.push("turn"));
    const first = completed(bareRuntime(), 1).then(() => seen.push("first"));
    const second = completed(bareRuntime(), undefined).then(() => seen.push("second"));
    await Promise.all([turn, first, second]);
  } finally {
    spy.mockRestore();
  }
  expect(seen).toEqual(["turn", "first", "second"]);
});
