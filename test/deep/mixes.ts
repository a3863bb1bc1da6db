/** Programs by chance, which find faults themselves: the same seed is the same program. */
import { Channel } from "concurrency-model-patterns/channel";
import { background, type Context, withCancel } from "concurrency-model-patterns/context";
import { Mutex } from "concurrency-model-patterns/mutex";
import { receive, select, send } from "concurrency-model-patterns/select";
import { RwLock } from "concurrency-model-patterns/rw-lock";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { WaitGroup } from "concurrency-model-patterns/wait-group";
import { type Random, pick, seededRandom } from "../../src/core/random.ts";
import { check, sorted, step } from "../support/programs.ts";

/** Makes a program; every run of it does the same calls. */
export type Mix = (seed: number) => () => Promise<void>;

/** So many tasks of so many calls: each a number that stands for a call. */
function plan(random: Random, tasks: number, calls: number): readonly (readonly number[])[] {
  return Array.from({ length: tasks }, () =>
    Array.from({ length: 1 + pick(random, calls) }, () => pick(random, 1000)),
  );
}

/** Runs the tasks; when none of them can go on, what still waits is given up. */
async function until(tasks: readonly ((ctx: Context) => Promise<void>)[]): Promise<void> {
  const { ctx, cancel } = withCancel(background);
  await TaskGroup.run((group) => {
    for (const task of tasks) group.go(() => task(ctx));
    group.go(async () => {
      await sleep(1);
      cancel();
    });
  });
}

/** Whether a call was made, and not given up. */
async function made<T>(call: Promise<T>, ctx: Context): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error === ctx.cause || (error as { code?: string }).code === "CANCELED") return undefined;
    throw error;
  }
}

class Traffic {
  readonly channels: readonly Channel<number>[];
  readonly sent: number[] = [];
  readonly received: number[] = [];
  #next = 0;

  constructor(capacities: readonly number[]) {
    this.channels = capacities.map((capacity) => new Channel<number>(capacity));
  }

  async call(kind: number, outer: Context): Promise<void> {
    const channel = this.channels[kind % 2] as Channel<number>;
    const other = this.channels[1 - (kind % 2)] as Channel<number>;
    const value = this.#next++;
    const { ctx, cancel } = withCancel(outer);
    if (kind % 10 === 0) void step().then(() => cancel());
    switch (Math.floor(kind / 10) % 5) {
      case 0:
        this.#got(channel.tryReceive()?.value);
        break;
      case 1: {
        const chosen = await made(select({ out: send(channel, value), in: receive(other) }, ctx), ctx);
        if (chosen?.key === "out") this.sent.push(value);
        if (chosen?.key === "in") this.#got(chosen.value);
        break;
      }
      case 2:
        this.#got((await made(channel.receive(ctx), ctx))?.value);
        break;
      default:
        if (
          (await made(
            channel.send(value, ctx).then(() => true),
            ctx,
          )) === true
        )
          this.sent.push(value);
    }
    cancel();
  }

  #got(value: number | undefined): void {
    if (value !== undefined) this.received.push(value);
  }

  settle(): void {
    for (const channel of this.channels) {
      for (let left = channel.tryReceive(); left !== undefined; left = channel.tryReceive())
        this.#got(left.value);
      check(channel.waiting.senders + channel.waiting.receivers === 0, "somebody is left");
    }
    check(sorted(this.sent) === sorted(this.received), `${this.sent.join()} and ${this.received.join()}`);
  }
}

/** Values over two channels: each that was sent is received once, and no other. */
export const trafficMix: Mix = (seed) => {
  const random = seededRandom(seed);
  const capacities = [pick(random, 3), pick(random, 2)];
  const tasks = plan(random, 3, 2);
  return async () => {
    const traffic = new Traffic(capacities);
    await until(
      tasks.map((calls) => async (ctx) => {
        for (const kind of calls) await traffic.call(kind, ctx);
      }),
    );
    traffic.settle();
  };
};

class House {
  readonly #semaphore = new Semaphore(2);
  readonly #mutex = new Mutex();
  readonly #lock = new RwLock();
  readonly #inside = new WaitGroup();
  #held = 0;
  #owners = 0;
  #readers = 0;
  #writers = 0;

  async visit(kind: number, ctx: Context): Promise<void> {
    this.#inside.add();
    await made(this.#room(kind, ctx), ctx);
    this.#inside.done();
  }

  async settle(): Promise<void> {
    await this.#inside.wait();
    const { active } = this.#lock;
    const free = this.#semaphore.available === 2 && !this.#mutex.locked;
    check(free && active.readers + active.writers === 0, "something is still held");
    check(this.#semaphore.waiting + this.#mutex.waiting === 0, "somebody is left");
  }

  #room(kind: number, outer: Context): Promise<void> {
    const { ctx, cancel } = withCancel(outer);
    if (kind % 7 === 0) void step().then(() => cancel());
    switch (kind % 4) {
      case 0:
        return this.#weigh(1 + (kind % 2), ctx);
      case 1:
        return this.#mutex.withLock(async () => {
          check(++this.#owners === 1, "two owners");
          await step();
          this.#owners--;
        }, ctx);
      case 2:
        return this.#lock.withReadLock(async () => {
          this.#readers++;
          check(this.#writers === 0, "a reader beside a writer");
          await step();
          this.#readers--;
        }, ctx);
      default:
        return this.#lock.withWriteLock(async () => {
          check(++this.#writers === 1 && this.#readers === 0, "a writer is not alone");
          await step();
          this.#writers--;
        }, ctx);
    }
  }

  async #weigh(weight: number, ctx: Context): Promise<void> {
    const release = await this.#semaphore.acquire(weight, ctx);
    this.#held += weight;
    check(this.#held <= 2, `${this.#held} held`);
    await step();
    this.#held -= weight;
    release();
  }
}

/** Rooms with locks of all kinds: nobody is where he may not be, and all doors are open in the end. */
export const houseMix: Mix = (seed) => {
  const random = seededRandom(seed, 1);
  const tasks = plan(random, 3, 2);
  return async () => {
    const house = new House();
    await until(
      tasks.map((visits) => async (ctx) => {
        for (const kind of visits) await house.visit(kind, ctx);
      }),
    );
    await house.settle();
  };
};
