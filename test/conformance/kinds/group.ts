/** What owns tasks. */
import type { Context } from "concurrency-model-patterns/context";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import { type CancelOptions, linkCancel, rejectIfCancelled } from "../../../src/core/cancellation.ts";
import type { Outcome } from "../../../src/core/task.ts";
import { ended, endedValue } from "../../support/outcomes.ts";
import { below, codeOf, type Crowd, Failure, Gauge, type Jam, type Subject } from "../subject.ts";

/** A task that was handed over. */
export interface HandleLike {
  readonly outcome: Outcome<number> | undefined;
  join(options?: CancelOptions): Promise<number>;
  cancel(cause?: unknown): void;
}

/** A `TaskGroup` that collects errors is one. */
export interface GroupLike {
  readonly active: number;
  readonly waiting: number;
  readonly errors: readonly unknown[];
  go(task: (ctx: Context) => Promise<number>): HandleLike;
  wait(options?: CancelOptions): Promise<void>;
  cancel(cause?: unknown): void;
}

export type MakeGroup = (size: { readonly concurrency: number; readonly capacity: number }) => GroupLike;

function groupCrowd(make: MakeGroup): Crowd {
  const size = { concurrency: 2, capacity: 3 };
  const cause = new Error("the group was cancelled");
  const group = make(size);
  const running = new Gauge();
  const handles: HandleLike[] = [];
  const failed: Failure[] = [];
  let closed = false;
  const task =
    (n: number) =>
    async (ctx: Context): Promise<number> => {
      running.enter();
      try {
        await sleep(below(5), below(2) === 0 ? ctx : {});
        if (below(4) > 0) return n;
        const failure = new Failure(n);
        failed.push(failure);
        throw failure;
      } finally {
        running.leave();
      }
    };
  const start = (n: number): HandleLike => {
    const handle = group.go(task(n));
    handles.push(handle);
    return handle;
  };
  return {
    parties: [
      {
        name: "join",
        refusesFirst: true,
        call: async (n, options) => expect(await start(n).join(options)).toBe(n),
      },
      {
        name: "give a task up",
        refusesFirst: true,
        call: async (n) => {
          const handle = start(n);
          const reason = new Error("not needed");
          await sleep(below(4));
          handle.cancel(reason);
          const end = await ended(handle.join());
          if (!("error" in end && end.error === reason) && "error" in end) throw end.error;
        },
      },
    ],
    checkBounds: () => {
      expect(running.most, "promise 2: no more run than may").toBeLessThanOrEqual(size.concurrency);
      expect(group.active).toBeLessThanOrEqual(size.concurrency);
      expect(group.waiting, "promise 2: no more wait than may").toBeLessThanOrEqual(size.capacity);
    },
    explains: (error, n) => {
      if (error instanceof Failure) return error.of === n;
      if (error === cause || codeOf(error) === "MISUSE") return closed;
      return codeOf(error) === "FULL";
    },
    close: () => {
      closed = true;
      group.cancel(cause);
    },
    end: async () => {
      closed = true;
      if (below(2) === 0) group.cancel(cause);
      await ended(group.wait());
    },
    checkAccounts: () => {
      expect([group.active, group.waiting, running.now], "promise 4: no task is left").toEqual([0, 0, 0]);
      for (const { outcome } of handles) expect(outcome, "promise 1: every task has settled").toBeDefined();
      const known = group.errors.filter((error) => error instanceof Failure);
      expect(new Set(known), "promise 7: no failure is lost").toEqual(new Set(failed));
      expect(known.length, "promise 7: none is told twice").toBe(failed.length);
    },
  };
}

/** The only slot is taken. Who gives up a call gives up its task. */
function groupJam(make: MakeGroup): Jam {
  const group = make({ concurrency: 1, capacity: Number.POSITIVE_INFINITY });
  const served: number[] = [];
  const first = group.go((ctx) => sleep(Number.POSITIVE_INFINITY, ctx).then(() => 0));
  return {
    call: async (n, options) => {
      await rejectIfCancelled(options);
      const handle = group.go(async () => served.push(n));
      const link = linkCancel(options, { onCancel: (reason) => handle.cancel(reason) });
      try {
        return await handle.join();
      } finally {
        link?.release();
      }
    },
    waiting: () => group.waiting,
    served,
    free: () => first.cancel(),
    end: async () => void (await ended(group.wait())),
  };
}

export function groupSubject(make: MakeGroup): Subject {
  const one = { concurrency: 1, capacity: 10 };
  return {
    crowds: { "": () => groupCrowd(make) },
    jams: { "go and join": () => groupJam(make) },
    busy: {
      "tasks that end at once": async (over) => {
        const group = make(one);
        while (!over()) await group.go(async () => 1).join();
        await group.wait();
      },
    },
    failing: {
      join: async (work) => {
        const group = make(one);
        const end = await ended(group.go(work).join());
        await ended(group.wait());
        return endedValue(end);
      },
    },
    secondary: {
      "of several tasks": (fail) => {
        const group = make({ concurrency: 3, capacity: 10 });
        for (const of of [1, 2]) group.go(() => fail(of, of));
        return group.wait();
      },
    },
    callbacks: {
      "a task that had to wait": async ({ owner, other, callback }) => {
        const group = make(one);
        other(() => group.go(() => sleep(1).then(() => 1)));
        owner(() =>
          group.go(async () => {
            callback();
            return 2;
          }),
        );
        other(() => group.go(async () => 3));
        await group.wait();
      },
    },
  };
}
