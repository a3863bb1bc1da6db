/** What lends things that are costly to make. */
import { ended } from "../../support/outcomes.ts";
import type { Lease, ResourcePoolOptions } from "concurrency-model-patterns/resource-pooling";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { below, codeOf, type Crowd, Failure, Gauge, type Jam, type Scene, type Subject } from "../subject.ts";

/** A `ResourcePool` is one. */
export interface ResourcePoolLike<R> {
  readonly size: number;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
  acquire(options?: CancelOptions): Promise<Lease<R>>;
  close(): void;
  drain(): Promise<void>;
}

interface Thing {
  holder: number | undefined;
}

export type MakeResourcePool = <R>(options: ResourcePoolOptions<R>) => ResourcePoolLike<R>;

const NOBODY = -1;

function resourcePoolCrowd(make: MakeResourcePool): Crowd {
  const max = 2;
  const alive = new Gauge();
  let closed = false;
  const pool = make<Thing>({
    max,
    capacity: 6,
    acquireTimeoutMs: 9,
    create: async (ctx) => {
      await sleep(below(3), ctx);
      if (below(8) === 0) throw new Failure(NOBODY);
      alive.enter();
      return { holder: undefined };
    },
    validate: async () => {
      await sleep(below(2));
      return below(8) !== 0;
    },
    destroy: async () => {
      await sleep(below(3));
      alive.leave();
    },
    onError: (error) => expect((error as Failure).of, "promise 7: only failures are told").toBe(NOBODY),
  });
  const use = async (n: number, { value, release, discard }: Holding): Promise<void> => {
    expect(value.holder, "promise 3: a thing is lent to one at a time").toBe(undefined);
    value.holder = n;
    await sleep(below(4));
    value.holder = undefined;
    if (below(4) === 0) discard();
    else release();
    release();
  };
  return {
    parties: [
      {
        name: "acquire",
        call: async (n, options) => {
          const lease = await pool.acquire(options);
          await use(n, {
            value: lease.value,
            release: () => lease.release(),
            discard: () => lease.discard(),
          });
        },
      },
    ],
    checkBounds: () => {
      expect(alive.most, "promise 2: never more than max").toBeLessThanOrEqual(max);
      expect(pool.size, "promise 2: size <= max").toBeLessThanOrEqual(max);
      expect(pool.idle + pool.active).toBeLessThanOrEqual(pool.size);
      expect(pool.waiting, "promise 2: callers beyond the capacity are refused").toBeLessThanOrEqual(max + 6);
    },
    explains: (error) =>
      error instanceof Failure || ["FULL", "TIMEOUT", closed && "CLOSED"].includes(codeOf(error) as string),
    close: () => {
      closed = true;
      pool.close();
    },
    end: async () => {
      closed = true;
      await pool.drain();
    },
    checkAccounts: () => {
      const left = [pool.size, pool.active, pool.idle, pool.waiting, alive.now];
      expect(left, "promises 3 and 4: all came back and were destroyed").toEqual([0, 0, 0, 0, 0]);
    },
  };
}

interface Holding {
  readonly value: Thing;
  readonly release: () => void;
  readonly discard: () => void;
}

/** The only thing is lent. */
async function resourcePoolJam(make: MakeResourcePool): Promise<Jam> {
  const pool = make<object>({ max: 1, capacity: Number.POSITIVE_INFINITY, create: () => ({}) });
  const lease = await pool.acquire();
  const served: number[] = [];
  return {
    call: async (n, options) => {
      const own = await pool.acquire(options);
      served.push(n);
      own.release();
    },
    waiting: () => pool.waiting,
    served,
    free: () => lease.release(),
    end: () => pool.drain(),
  };
}

async function inContextOfMaker(make: MakeResourcePool, { owner, other, callback }: Scene): Promise<void> {
  const validate = (): boolean => {
    callback();
    return false;
  };
  const pool = owner(() => make<unknown>({ max: 1, create: callback, validate, destroy: callback }));
  for (let visit = 0; visit < 2; visit++)
    await other(async () => {
      (await pool.acquire()).release();
    });
  await other(() => pool.drain());
}

export function resourcePoolSubject(make: MakeResourcePool): Subject {
  return {
    crowds: { "": () => resourcePoolCrowd(make) },
    jams: { acquire: () => resourcePoolJam(make) },
    callbacks: { "create, validate and destroy": (scene) => inContextOfMaker(make, scene) },
    busy: {
      "always idle": async (over) => {
        const pool = make({ max: 1, create: () => 1 });
        while (!over()) (await pool.acquire()).release();
        await pool.drain();
      },
    },
    timed: {
      "acquire, which is refused": async (ms) => {
        const pool = make({ max: 1, create: () => 1, acquireTimeoutMs: ms });
        const lease = await pool.acquire();
        const end = await ended(pool.acquire());
        expect("error" in end && codeOf(end.error), "promise 7: a timeout").toBe("TIMEOUT");
        lease.release();
        await pool.drain();
      },
    },
    failing: {
      create: async (work) => {
        const pool = make<never>({ max: 1, create: work });
        try {
          await pool.acquire();
        } finally {
          await pool.drain();
        }
      },
    },
  };
}
