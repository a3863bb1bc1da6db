/** What handles events, one at a time. */
import { ended } from "../../support/outcomes.ts";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { below, codeOf, type Crowd, Gauge, type Jam, type Subject } from "../subject.ts";

/** What is posted. */
interface Events {
  tick: number;
}

export interface LoopOptions {
  readonly capacity: number;
  /** Told of a failure of a handler; what it throws ends the loop. */
  readonly onError?: () => Promise<void>;
}

/** An `EventLoop` is one. */
export interface LoopLike {
  readonly capacity: number;
  readonly size: number;
  readonly waiting: number;
  readonly closed: boolean;
  readonly unhandled: readonly { readonly value: number }[];
  readonly errors: readonly unknown[];
  tryPost(kind: keyof Events, value: number): boolean;
  source(kind: keyof Events, values: Iterable<number>): unknown;
  on(kind: keyof Events, handler: (value: number) => Promise<void>): unknown;
  post(kind: keyof Events, value: number, options?: CancelOptions): Promise<void>;
  run(): Promise<void>;
  stop(): void;
  close(): void;
}

function loopCrowd(loop: LoopLike): Crowd {
  const accepted: number[] = [];
  const handled: number[] = [];
  const handling = new Gauge();
  let made = 0;
  loop.on("tick", async (value) => {
    handling.enter();
    await sleep(below(3));
    handling.leave();
    handled.push(value);
  });
  const runner = new TaskGroup({ name: "loop" });
  runner.go(() => loop.run());
  return {
    parties: [
      {
        name: "post",
        call: async (_, options) => {
          const value = made++;
          await loop.post("tick", value, options);
          accepted.push(value);
        },
      },
    ],
    checkBounds: () => {
      expect(loop.size, "promise 2: size <= capacity").toBeLessThanOrEqual(loop.capacity);
      expect(handling.most, "promise 2: one at a time").toBeLessThanOrEqual(1);
    },
    explains: (error) => loop.closed && codeOf(error) === "CLOSED",
    close: () => loop.close(),
    end: async () => {
      if (below(2) === 0) loop.stop();
      else loop.close();
      await runner.wait();
    },
    checkAccounts: () => {
      expect([loop.size, loop.waiting, handling.now], "promise 4: nothing is left").toEqual([0, 0, 0]);
      const order = (one: number, other: number): number => one - other;
      const out = [...handled, ...loop.unhandled.map(({ value }) => value)].toSorted(order);
      expect(out, "promise 3: every accepted event is handled, or said not to be").toEqual(
        accepted.toSorted(order),
      );
    },
  };
}

/** Nobody runs it, and there is no more room. */
async function loopJam(loop: LoopLike): Promise<Jam> {
  const runner = new TaskGroup({ name: "loop" });
  const served: number[] = [];
  loop.on("tick", async (value) => {
    if (value >= 0) served.push(value);
  });
  while (loop.size < loop.capacity) await loop.post("tick", -1);
  return {
    call: async (n, options) => {
      await loop.post("tick", n, options);
    },
    waiting: () => loop.waiting,
    served,
    free: () => void runner.go(() => loop.run()),
    end: async () => {
      loop.close();
      await runner.wait();
    },
  };
}

/** A source, beside posts that never stop. */
async function sourceBesidePosts(loop: LoopLike): Promise<void> {
  let loud = 0;
  let quiet = 0;
  loop.on("tick", async (value) => {
    if (value > 0) quiet++;
    else loud++;
    if (quiet === 5 || loud > 1000) loop.stop();
    else while (!loop.closed && loop.tryPost("tick", 0));
  });
  loop.source("tick", [1, 2, 3, 4, 5]);
  expect(loop.tryPost("tick", 0)).toBe(true);
  await loop.run();
  expect(quiet, "promise 5: the source is heard").toBe(5);
  expect(loud, "promise 5: soon").toBeLessThan(500);
}

async function runOne(loop: LoopLike, handler: (value: number) => Promise<void>): Promise<void> {
  loop.on("tick", handler);
  loop.tryPost("tick", 1);
  loop.close();
  await loop.run();
}

export function loopSubject(make: (options: LoopOptions) => LoopLike): Subject {
  return {
    crowds: { "": () => loopCrowd(make({ capacity: 2 })) },
    jams: { post: () => loopJam(make({ capacity: 1 })) },
    rivals: { "a source beside posts": () => sourceBesidePosts(make({ capacity: 4 })) },
    busy: {
      "that posts to itself": async (over) => {
        const loop = make({ capacity: 2 });
        loop.on("tick", async () => {
          if (over()) loop.close();
          else loop.tryPost("tick", 1);
        });
        loop.tryPost("tick", 1);
        await loop.run();
      },
    },
    failing: { "a handler": (work) => runOne(make({ capacity: 1 }), work) },
    secondary: {
      "of the handler, and of who was told": async (fail) => {
        const loop = make({ capacity: 1, onError: () => fail(2, 1) });
        await ended(runOne(loop, () => fail(1, 1)));
        throw new AggregateError(loop.errors);
      },
    },
    callbacks: {
      "the handling of a post": async ({ owner, other, callback }) => {
        const loop = make({ capacity: 1 });
        loop.on("tick", async () => callback());
        owner(() => loop.tryPost("tick", 1));
        loop.close();
        await other(() => loop.run());
      },
    },
  };
}
