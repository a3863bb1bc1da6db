/** Semaphores: taking a permit and giving it back, with nobody else there and with many. */
import { Semaphore } from "../src/sync/semaphore.ts";
import { check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";
import { effect } from "./streams.ts";

const TASKS = 32;
const PERMITS = 8;
const tick = Promise.resolve();

/** Takes a permit and gives it back, so many times; calls `held` in between. */
type Use = (times: number, held: () => void | Promise<void>) => Promise<void>;
/** Makes a semaphore. */
type Gate = (permits: number) => Use;

async function alone(make: Gate, times: number): Promise<void> {
  let count = 0;
  await make(1)(times, () => void count++);
  check(count, times);
}

/** More tasks than permits; who has one keeps it while others run. */
async function crowd(make: Gate, times: number): Promise<void> {
  const use = make(PERMITS);
  const each = Math.ceil(times / TASKS);
  let [count, inside, most] = [0, 0, 0];
  const held = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await tick;
    inside--;
    count++;
  };
  await Promise.all(Array.from({ length: TASKS }, () => use(each, held)));
  check(count, each * TASKS);
  check(most, PERMITS);
}

const ours: Gate = (permits) => {
  const gate = new Semaphore(permits);
  return async (times, held) => {
    for (let n = 0; n < times; n++) {
      const release = await gate.acquire();
      const holding = held();
      if (holding !== undefined) await holding;
      release();
    }
  };
};

const oursTrying: Gate = (permits) => {
  const gate = new Semaphore(permits);
  return async (times, held) => {
    for (let n = 0; n < times; n++) {
      const release = gate.tryAcquire() ?? (await gate.acquire());
      const holding = held();
      if (holding !== undefined) await holding;
      release();
    }
  };
};

async function asyncSema(): Promise<Gate> {
  const { Sema } = (await peer("async-sema")) as {
    readonly Sema: new (permits: number) => { acquire(): Promise<unknown>; release(): void };
  };
  return (permits) => {
    const gate = new Sema(permits);
    return async (times, held) => {
      for (let n = 0; n < times; n++) {
        await gate.acquire();
        const holding = held();
        if (holding !== undefined) await holding;
        gate.release();
      }
    };
  };
}

async function asyncMutex(): Promise<Gate> {
  const { Semaphore: Peer } = (await peer("async-mutex")) as {
    readonly Semaphore: new (permits: number) => { acquire(): Promise<[number, () => void]> };
  };
  return (permits) => {
    const gate = new Peer(permits);
    return async (times, held) => {
      for (let n = 0; n < times; n++) {
        const [, release] = await gate.acquire();
        const holding = held();
        if (holding !== undefined) await holding;
        release();
      }
    };
  };
}

/** It has no promises of its own: each use is an effect, and all of a task run as one. */
async function effects(): Promise<Gate> {
  const { Effect, Semaphore: Peer } = await effect();
  return (permits) => {
    const withPermit = Peer.makeUnsafe(permits).withPermits(1);
    return async (times, held) => {
      const use = (): ReturnType<typeof Effect.promise> =>
        withPermit(Effect.promise(async () => await held()));
      const turns = {
        *[Symbol.iterator]() {
          for (let n = 0; n < times; n++) yield n;
        },
      };
      await Effect.runPromise(Effect.asVoid(Effect.forEach(turns, use, { concurrency: 1 })));
    };
  };
}

/** A number, and an array of those who wait. */
const naive: Gate = (permits) => {
  let free = permits;
  const waiting: (() => void)[] = [];
  return async (times, held) => {
    for (let n = 0; n < times; n++) {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      const holding = held();
      if (holding !== undefined) await holding;
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
};

/** No limit: what is awaited is there. */
const floor: Gate = () => async (times, held) => {
  const there = Promise.resolve();
  for (let n = 0; n < times; n++) {
    await there;
    const holding = held();
    if (holding !== undefined) await holding;
  }
};

/** So many tasks and no limit. */
async function crowdWithoutLimit(make: Gate, times: number): Promise<void> {
  const each = Math.ceil(times / TASKS);
  let count = 0;
  const held = async (): Promise<void> => {
    await tick;
    count++;
  };
  await Promise.all(Array.from({ length: TASKS }, () => make(PERMITS)(each, held)));
  check(count, each * TASKS);
}

type Work = (make: Gate, times: number) => Promise<void>;

const variant = (
  work: Work,
  who: NodeVariant["who"],
  load: () => Promise<Gate> | Gate,
  idiom = "plain await",
): NodeVariant => ({
  who,
  idiom,
  setUp: async (): Promise<Rounds> => {
    const make = await load();
    return (times) => work(make, times);
  },
});

const withAll = (work: Work): Record<string, NodeVariant> => ({
  ours: variant(work, "ours", () => ours),
  "ours, try first": variant(work, "ours", () => oursTrying, "try first"),
  "async-sema": variant(work, "peer", asyncSema),
  "async-mutex": variant(work, "peer", asyncMutex),
  effect: variant(work, "peer", effects, "withPermits"),
  "array of resolvers": variant(work, "naive", () => naive),
});

const NOTE =
  "What is acquired is a function that gives the permit back once, so that nobody gives back more than was taken; the package " +
  "counts what it is told. Measured alone, to make that function and to await a promise of it takes 5 ns more than a number; most of " +
  "these are for its being disposable. Whether the weight fits, the call was given up, or the host is due its turn is looked at each " +
  "time. It was 0.7 times before what is late had a function of its own. To try first costs no promise.";

export const semaphore: Subject = {
  name: "semaphore",
  title: "Semaphore",
  cases: [
    {
      name: "uncontended",
      operation: "a permit taken and given back, nobody else there",
      variants: {
        ...withAll(alone),
        floor: variant(alone, "floor", () => floor, "await of a promise that is there"),
        Go: { who: "go", idiom: "a channel", program: "semaphore-alone" },
      },
      goals: [{ of: "ours", versus: "best peer", atLeast: 1, note: NOTE }],
    },
    {
      name: "contended",
      operation: `a permit of ${PERMITS} taken and given back by one of ${TASKS} tasks`,
      variants: {
        ...withAll(crowd),
        floor: variant(crowdWithoutLimit, "floor", () => floor, "await of a promise that is there"),
        Go: { who: "go", idiom: "a channel", program: "semaphore-crowd" },
      },
      goals: [{ of: "ours", versus: "best peer", atLeast: 1, note: NOTE }],
    },
  ],
};
