/** Every check can fail: for each promise, implementations that break it, and which the suite must reject for that reason. */
import { Channel } from "concurrency-model-patterns/channel";
import { Mutex } from "concurrency-model-patterns/mutex";
import { sleep } from "concurrency-model-patterns/timers";
import { afterEach, describe, expect, test } from "vitest";
import { type CancelOptions, linkCancel, rejectIfCancelled } from "../../src/core/cancellation.ts";
import { forgetLeftovers } from "../support/leftovers.ts";
import { ended, endedValue } from "../support/outcomes.ts";
import { checksOf } from "./checks/all.ts";
import { leaveInFewSteps } from "./checks/steps.ts";
import { type ChannelLike, channelSubject } from "./kinds/channel.ts";
import { type Door, type LockLike, lockSubject } from "./kinds/lock.ts";
import type { Subject } from "./subject.ts";

/** What the checks of one promise say to a subject: the texts of those that fail because of that promise. */
async function complaints(promise: number, subject: Subject): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const { promises, run } of checksOf(subject)) {
    if (!promises.includes(promise)) continue;
    const end = await ended(run());
    if ("error" in end) texts.push(String(end.error));
  }
  return texts.filter((text) => text.includes(`promise ${promise}`));
}

/** A channel of which some is done otherwise; for random programs. */
function channels(other: (own: Channel<number>) => Partial<ChannelLike<number>>): Subject {
  const make = (capacity: number): ChannelLike<number> => {
    const own = new Channel<number>(capacity);
    const changed = other(own);
    return new Proxy<ChannelLike<number>>(own, {
      get: (_, key) => {
        const value: unknown = key in changed ? Reflect.get(changed, key) : Reflect.get(own, key, own);
        return typeof value === "function" ? (value.bind(own) as unknown) : value;
      },
    });
  };
  const { crowds = {} } = channelSubject(make);
  return { crowds };
}

/** A mutex whose door is another. */
function mutexWith(enter: (lock: Mutex, options: CancelOptions) => Promise<() => void>): Subject {
  return lockSubject(() => {
    const lock = new Mutex();
    return {
      room: 1,
      doors: [{ name: "lock", weight: 1, enter: (options) => enter(lock, options) }],
      waiting: () => lock.waiting,
      free: () => !lock.locked,
    };
  });
}

interface Place {
  readonly enter: () => void;
}

/** A mutex with an array for a queue: who gives up is looked for. `take` is who comes next. */
function mutexOfArray(take: (queue: Place[]) => Place | undefined): () => LockLike {
  return () => {
    const queue: Place[] = [];
    let locked = false;
    const leave = (): void => {
      const next = take(queue);
      if (next === undefined) locked = false;
      else next.enter();
    };
    const enter: Door["enter"] = async (options) => {
      await rejectIfCancelled(options);
      if (locked) await waitIn(queue, options);
      locked = true;
      let left = false;
      return () => {
        if (!left) leave();
        left = true;
      };
    };
    return {
      room: 1,
      doors: [{ name: "lock", weight: 1, enter }],
      waiting: () => queue.length,
      free: () => !locked,
    };
  };
}

function waitIn(queue: Place[], options: CancelOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const place: Place = {
      enter: () => {
        link?.release();
        resolve();
      },
    };
    const link = linkCancel(options, {
      onCancel: (reason) => {
        queue.splice(queue.indexOf(place), 1);
        reject(reason);
      },
    });
    queue.push(place);
  });
}

/** The part of a subject that is cheap to check. */
function jamsOf({ crowds = {}, jams = {} }: Subject): Subject {
  return Object.keys(jams).length > 0 ? { jams } : { crowds };
}

/** What breaks each promise. */
const broken: readonly (readonly [promise: number, what: string, subject: Subject])[] = [
  [
    1,
    "a channel whose close forgets those who wait",
    channels((own) => ({
      receive: async (options) => {
        const next = own.tryReceive();
        return next ?? new Promise((_, reject) => void linkCancel(options, { onCancel: reject }));
      },
    })),
  ],
  [
    2,
    "a channel that holds more than it says",
    channels((own) => {
      const hidden: number[] = [];
      return {
        get size() {
          return own.size + hidden.length;
        },
        send: async (value) => {
          if (!own.trySend(value)) hidden.push(value);
        },
      };
    }),
  ],
  [
    3,
    "a channel whose receive takes a value, though it is given up",
    channels((own) => ({
      receive: async (options) => {
        const next = await own.receive(options);
        await sleep(3);
        if (options?.signal?.aborted === true) throw options.signal.reason;
        return next;
      },
    })),
  ],
  [
    4,
    "a lock that leaves a listener on the signal",
    mutexWith((lock, options) => {
      options.signal?.addEventListener("abort", () => {});
      return lock.lock(options);
    }),
  ],
  [5, "a lock that serves last who came first", jamsOf(lockSubject(mutexOfArray((queue) => queue.pop())))],
  [
    5,
    "a loop of calls that never lets the host have its turn",
    {
      busy: {
        "": async (over) => {
          while (!over()) await Promise.resolve();
        },
      },
    },
  ],
  [
    6,
    "a sleep on the timers of the host",
    {
      timed: {
        "": (ms) =>
          new Promise((resolve) => {
            setTimeout(resolve, ms === 1000 ? 1 : ms);
          }),
      },
    },
  ],
  [
    6,
    "a sleep that believes the wall clock",
    {
      timed: {
        "": async (ms) => {
          const startMs = Date.now();
          await sleep(ms / 2);
          if (Date.now() - startMs < ms) await sleep(ms / 2);
        },
      },
    },
  ],
  [
    7,
    "a lock that turns the reason of its signal into an error of its own",
    mutexWith((lock, options) =>
      lock.lock(options).catch(() => {
        throw new DOMException("aborted", "AbortError");
      }),
    ),
  ],
  [
    7,
    "a call that wraps what user code throws, and forgets what came later",
    {
      failing: {
        "": (work) =>
          work().catch((error: unknown) => {
            throw new Error(String(error));
          }),
      },
      secondary: {
        "": async (fail) => {
          const first = await ended(fail(1, 1));
          await ended(fail(2, 1));
          return endedValue(first);
        },
      },
    },
  ],
  [
    8,
    "a queue of callbacks that are run by whoever comes along",
    {
      callbacks: {
        "": async ({ owner, other, callback }) => {
          const queue: (() => void)[] = [];
          owner(() => queue.push(callback));
          other(() => queue.pop()?.());
        },
      },
    },
  ],
  [
    9,
    "a channel with a chance of its own",
    channels((own) => ({
      send: async (value, options) => {
        await rejectIfCancelled(options);
        if (performance.now() % 2 < 1) await sleep(performance.now() % 3, options);
        return own.send(value, options);
      },
    })),
  ],
];

describe("the suite rejects", () => {
  // Some of them leave something behind: that is what is broken about them.
  afterEach(() => forgetLeftovers());

  test.each(broken)("for promise %i %s", async (promise, _, subject) => {
    expect(await complaints(promise, subject)).not.toEqual([]);
  });

  test("for promise 3 a lock in whose queue one who gives up is looked for", async () => {
    const end = await ended(leaveInFewSteps({ lock: lockSubject(mutexOfArray((queue) => queue.shift())) }));
    expect("error" in end && String(end.error)).toContain("promise 3: it does not walk past the others");
  });

  test.each([channels(() => ({})), mutexWith((lock, options) => lock.lock(options))])(
    "nothing of what the broken ones were made from",
    async (subject) => {
      for (const { run } of checksOf(jamsOf(subject))) await expect(run()).resolves.toBeUndefined();
    },
  );
});
