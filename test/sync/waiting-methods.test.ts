/**
 * The same six situations for every waiting method: it is granted; it waits; it is given up before, while and after;
 * what it waits for is closed. Whatever happens, nothing is left behind.
 */
import { Barrier } from "concurrency-model-patterns/barrier";
import { Channel } from "concurrency-model-patterns/channel";
import { Cond } from "concurrency-model-patterns/cond";
import { background, withCancel } from "concurrency-model-patterns/context";
import type { ClosedError } from "concurrency-model-patterns/errors";
import { type CountedSender, countedSender } from "concurrency-model-patterns/counted-sender";
import { Mutex } from "concurrency-model-patterns/mutex";
import { onceValue } from "concurrency-model-patterns/once";
import { receiveMany } from "concurrency-model-patterns/receive-many";
import { RwLock } from "concurrency-model-patterns/rw-lock";
import { after, done, receive, select, send } from "concurrency-model-patterns/select";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep, Ticker } from "concurrency-model-patterns/timers";
import { WaitGroup } from "concurrency-model-patterns/wait-group";
import { describe, expect } from "vitest";
import type { CancelOptions } from "../../src/core/cancellation.ts";
import { Deferred } from "../../src/core/deferred.ts";
import { currentRuntime } from "../../src/core/runtime.ts";
import { inBothRuntimes, settle } from "../support/both-runtimes.ts";
import { ended } from "../support/outcomes.ts";
import { listenersOf } from "../support/listeners.ts";

/** A thing to wait for, seen from outside. */
interface Subject {
  wait(options?: CancelOptions): Promise<unknown>;
  /** Makes one wait succeed. */
  grant(): void | Promise<void>;
  /** How many wait. */
  waiting(): number;
  /** Says whether a wait that was given up took nothing: the grant is still there for the next. */
  untouched(): boolean;
  /** Ends the subject, so that nothing of it is left. */
  dispose(): void | Promise<void>;
  readonly close?: () => void;
  /** What a wait ends with when the subject is closed. */
  readonly closed?: (end: unknown) => void;
}

const nothing = (): void => {};

const broken = new Error("the source broke");

function receiving(
  wait: (channel: Channel<string>, options?: CancelOptions) => Promise<unknown>,
  end: object = { value: { done: true } },
  error?: Error,
): Subject {
  const channel = new Channel<string>();
  return {
    wait: (options) => wait(channel, options),
    grant: () => expect(channel.trySend("x")).toBe(true),
    waiting: () => channel.waiting.receivers,
    untouched: () => !channel.trySend("y"),
    dispose: nothing,
    close: () => channel.close(error),
    closed: (how) => expect(how).toMatchObject(end),
  };
}

function sending(wait: (channel: Channel<string>, options?: CancelOptions) => Promise<unknown>): Subject {
  const channel = new Channel<string>();
  return {
    wait: (options) => wait(channel, options),
    grant: () => expect(channel.tryReceive()).toEqual({ value: "x", done: false }),
    waiting: () => channel.waiting.senders,
    untouched: () => channel.tryReceive() === undefined,
    dispose: nothing,
    close: () => channel.close(),
    closed: (end) => expect((end as { error: ClosedError }).error.code).toBe("CLOSED"),
  };
}

const subjects: Record<string, () => Subject> = {
  "Channel.receive": () => receiving((channel, options) => channel.receive(options)),
  "Channel.send": () => sending((channel, options) => channel.send("x", options)),
  "Channel.receive that fails": () =>
    receiving((channel, options) => channel.receive(options), { error: broken }, broken),
  "receiveMany from a Channel": () =>
    receiving((channel, options) => receiveMany(channel, 3, options), { value: [] }),
  "select with a receive that fails": () =>
    receiving(
      (channel, options) => select({ a: receive(channel), b: after(1e6) }, options),
      { error: broken },
      broken,
    ),
  "CountedSender.send to a Channel": () => {
    let sender: CountedSender<string> | undefined;
    return sending((channel, options) => (sender ??= countedSender(channel)).send("x", options));
  },
  "select with a receive": () =>
    receiving((channel, options) => select({ a: receive(channel), b: after(1e6) }, options)),
  "select with a send": () =>
    sending((channel, options) => select({ a: send(channel, "x"), b: after(1e6) }, options)),
  "select with the end of a context": () => {
    const { ctx, cancel } = withCancel(background);
    const idle = new Channel<string>();
    return {
      wait: (options) => select({ a: done(ctx), b: receive(idle) }, options),
      grant: () => cancel(),
      waiting: () => idle.waiting.receivers,
      untouched: () => ctx.error === undefined,
      dispose: () => cancel(),
    };
  },
  "Semaphore.acquire": () => {
    const semaphore = new Semaphore(2);
    const release = semaphore.tryAcquire(2) as () => void;
    return {
      wait: async (options) => (await semaphore.acquire(2, options))(),
      grant: release,
      waiting: () => semaphore.waiting,
      untouched: () => semaphore.available === 0,
      dispose: () => {
        release();
        expect(semaphore.available).toBe(2);
      },
    };
  },
  "Mutex.lock": () => {
    const mutex = new Mutex();
    const unlock = mutex.tryLock() as () => void;
    return {
      wait: async (options) => (await mutex.lock(options))(),
      grant: unlock,
      waiting: () => mutex.waiting,
      untouched: () => mutex.locked,
      dispose: () => {
        unlock();
        expect(mutex.locked).toBe(false);
      },
    };
  },
  "WaitGroup.wait": () => {
    const group = new WaitGroup();
    group.add(1);
    return {
      wait: (options) => group.wait(options),
      grant: () => group.done(),
      waiting: () => group.waiting,
      untouched: () => group.count === 1,
      dispose: nothing,
    };
  },
  "Deferred.wait": () => {
    const deferred = new Deferred<string>(currentRuntime(), "join");
    return {
      wait: (options) => deferred.wait(options),
      grant: () => deferred.settle({ ok: true, value: "x" }),
      waiting: () => deferred.waiting,
      untouched: () => deferred.outcome === undefined,
      dispose: nothing,
    };
  },
  "TaskHandle.join": () => {
    const group = new TaskGroup();
    const gate = new Channel<string>();
    const handle = group.go(() => gate.receive(group.ctx));
    let waits = 0;
    return {
      wait: async (options) => {
        waits++;
        try {
          return await handle.join(options);
        } finally {
          waits--;
        }
      },
      grant: () => gate.close(),
      waiting: () => waits,
      untouched: () => handle.outcome === undefined,
      dispose: () => group[Symbol.asyncDispose](),
    };
  },
  "TaskGroup.wait": () => {
    const group = new TaskGroup();
    const gate = new Channel<string>();
    group.go(() => gate.receive(group.ctx));
    let waits = 0;
    return {
      wait: async (options) => {
        waits++;
        try {
          return await group.wait(options);
        } finally {
          waits--;
        }
      },
      grant: () => gate.close(),
      waiting: () => waits,
      untouched: () => group.active === 1 && group.ctx.error === undefined,
      dispose: () => group[Symbol.asyncDispose](),
    };
  },
  "Ticker.receive": () => {
    const ticker = new Ticker(1e6);
    const channel = ticker.receiveSide as Channel<number>;
    return {
      wait: (options) => ticker.receive(options),
      grant: () => expect(channel.trySend(1)).toBe(true),
      waiting: () => channel.waiting.receivers,
      untouched: () => channel.size === 0,
      dispose: () => ticker.stop(),
    };
  },
  sleep: () => {
    let waits = 0;
    return {
      wait: async (options) => {
        waits++;
        try {
          return await sleep(2, options);
        } finally {
          waits--;
        }
      },
      grant: () => sleep(3),
      waiting: () => waits,
      untouched: () => true,
      dispose: nothing,
    };
  },
  "RwLock.readLock": () => {
    const lock = new RwLock();
    const unlock = lock.tryWriteLock() as () => void;
    return {
      wait: async (options) => (await lock.readLock(options))(),
      grant: unlock,
      waiting: () => lock.waiting.readers,
      untouched: () => lock.active.readers === 0,
      dispose: () => {
        unlock();
        expect(lock.active).toEqual({ readers: 0, writers: 0 });
      },
    };
  },
  "RwLock.writeLock": () => {
    const lock = new RwLock();
    const unlock = lock.tryReadLock() as () => void;
    return {
      wait: async (options) => (await lock.writeLock(options))(),
      grant: unlock,
      waiting: () => lock.waiting.writers,
      untouched: () => lock.active.writers === 0,
      dispose: () => {
        unlock();
        expect(lock.active).toEqual({ readers: 0, writers: 0 });
      },
    };
  },
  "Cond.wait": () => {
    const mutex = new Mutex();
    const cond = new Cond(mutex);
    return {
      wait: async (options) => (await cond.wait(await mutex.lock(), options))(),
      grant: () => cond.signal(),
      waiting: () => cond.waiting,
      untouched: () => !mutex.locked,
      dispose: () => expect([mutex.locked, mutex.waiting]).toEqual([false, 0]),
    };
  },
  "Cond.lockWhen": () => {
    const mutex = new Mutex();
    const cond = new Cond(mutex);
    let holds = false;
    return {
      wait: async (options) => (await cond.lockWhen(() => holds, options))(),
      grant: () => {
        holds = true;
        cond.signal();
      },
      waiting: () => cond.waiting,
      untouched: () => !mutex.locked,
      dispose: () => expect([mutex.locked, mutex.waiting]).toEqual([false, 0]),
    };
  },
  "Barrier.wait": () => {
    const barrier = new Barrier(6);
    return {
      wait: (options) => barrier.wait(options),
      grant: async () => {
        const missing = barrier.parties - barrier.waiting;
        await Promise.all(Array.from({ length: missing }, () => barrier.wait()));
      },
      waiting: () => barrier.waiting,
      untouched: () => barrier.waiting === 0,
      dispose: nothing,
    };
  },
  "what onceValue gives": () => {
    const gate = new Channel<string>();
    let runs = 0;
    let waits = 0;
    const work = onceValue(() => {
      runs++;
      return gate.receive();
    });
    return {
      wait: async (options) => {
        waits++;
        try {
          return await work(options);
        } finally {
          waits--;
        }
      },
      grant: () => gate.close(),
      waiting: () => waits,
      untouched: () => runs <= 1,
      dispose: () => {
        if (!gate.closed) gate.close();
      },
    };
  },
};

/** Something that can give a wait up, and how to see that nobody is tied to it any more. */
interface Canceller {
  readonly options: CancelOptions;
  cancel(reason: unknown): void;
  expectNoTie(): void;
}

const cancellers: Record<string, () => Canceller> = {
  "a signal": () => {
    const controller = new AbortController();
    return {
      options: { signal: controller.signal },
      cancel: (reason) => controller.abort(reason),
      expectNoTie: () => expect(listenersOf(controller.signal)).toBe(0),
    };
  },
  "a context": () => {
    const { ctx, cancel } = withCancel(background);
    return { options: ctx, cancel, expectNoTie: nothing };
  },
  "the signal of a context": () => {
    const { ctx, cancel } = withCancel(background);
    const { signal } = ctx;
    return {
      options: { signal },
      cancel,
      expectNoTie: () => expect(listenersOf(signal)).toBe(0),
    };
  },
};

const enough = new Error("enough");

describe.each(Object.entries(subjects))("%s", (name, makeSubject) => {
  /** The program of one situation; it ends with nobody waiting. */
  async function inSituation(program: (subject: Subject) => Promise<void>): Promise<void> {
    const subject = makeSubject();
    await settle();
    await program(subject);
    expect(subject.waiting()).toBe(0);
    await subject.dispose();
  }

  inBothRuntimes(
    "gives what was there already",
    () =>
      inSituation(async (subject) => {
        if (/Channel|select|Ticker|Cond\.wait|Barrier/.test(name)) return;
        await subject.grant();
        await subject.wait();
      }),
    10,
  );

  inBothRuntimes(
    "waits until it is granted",
    () =>
      inSituation(async (subject) => {
        let over = false;
        const wait = subject.wait().finally(() => (over = true));
        await settle();
        expect([over, subject.waiting()]).toEqual([false, 1]);
        await subject.grant();
        await wait;
      }),
    40,
  );

  describe.each(Object.entries(cancellers))("given up by %s", (_, makeCanceller) => {
    inBothRuntimes(
      "before it waits: fails with the reason, and takes nothing",
      () =>
        inSituation(async (subject) => {
          const canceller = makeCanceller();
          canceller.cancel(enough);
          expect(await ended(subject.wait(canceller.options))).toEqual({ error: enough });
          expect(subject.untouched()).toBe(true);
          canceller.expectNoTie();
        }),
      20,
    );

    inBothRuntimes(
      "while it waits: fails with the reason, leaves at once, and takes nothing",
      () =>
        inSituation(async (subject) => {
          const canceller = makeCanceller();
          const wait = ended(subject.wait(canceller.options));
          await settle();
          canceller.cancel(enough);
          canceller.expectNoTie();
          expect(await wait).toEqual({ error: enough });
          expect(subject.waiting()).toBe(0);
          expect(subject.untouched()).toBe(true);
        }),
      40,
    );

    inBothRuntimes(
      "after it was granted: changes nothing",
      () =>
        inSituation(async (subject) => {
          const canceller = makeCanceller();
          const wait = subject.wait(canceller.options);
          await settle();
          await subject.grant();
          await wait;
          canceller.expectNoTie();
          canceller.cancel(enough);
        }),
      40,
    );

    inBothRuntimes(
      "together with other waits: only those that were meant",
      () =>
        inSituation(async (subject) => {
          if (name === "sleep") return;
          const canceller = makeCanceller();
          const meant = [1, 2].map(() => ended(subject.wait(canceller.options)));
          const other = subject.wait();
          const more = [1, 2].map(() => ended(subject.wait(canceller.options)));
          await settle();
          expect(subject.waiting()).toBe(5);
          canceller.cancel(enough);
          for (const end of await Promise.all([...meant, ...more])) expect(end).toEqual({ error: enough });
          expect(subject.waiting()).toBe(1);
          canceller.expectNoTie();
          await subject.grant();
          await other;
        }),
      20,
    );
  });

  inBothRuntimes(
    "ends when what it waits for is closed",
    () =>
      inSituation(async (subject) => {
        if (subject.close === undefined) return;
        const controller = new AbortController();
        const waits = [1, 2, 3].map(() => ended(subject.wait(controller)));
        await settle();
        expect(subject.waiting()).toBe(3);
        subject.close();
        expect(subject.waiting()).toBe(0);
        for (const end of await Promise.all(waits)) subject.closed?.(end);
        expect(listenersOf(controller.signal)).toBe(0);
      }),
    40,
  );
});
