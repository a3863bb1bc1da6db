/** What runs work once for all who ask at the same time. */
import { ended } from "../../support/outcomes.ts";
import type { Context } from "concurrency-model-patterns/context";
import type { Flight } from "concurrency-model-patterns/singleflight";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { below, type Crowd, Failure, type Jam, type Subject } from "../subject.ts";

/** A `SingleFlight` is one. */
export interface FlightLike {
  readonly size: number;
  waiting(key: number): number;
  do(key: number, work: (ctx: Context) => Promise<number>, options?: CancelOptions): Promise<Flight<number>>;
}

const KEYS = 3;

function flightCrowd(flights: FlightLike): Crowd {
  const wanted = new Map<number, Context[]>();
  const results = new Map<number, number>();
  let landed = 0;
  const work =
    (key: number) =>
    async (ctx: Context): Promise<number> => {
      wanted.set(key, [...(wanted.get(key) ?? []), ctx]);
      await sleep(below(5), below(2) === 0 ? ctx : {});
      if (below(4) === 0) throw new Failure(key);
      results.set(++landed, key);
      return landed;
    };
  return {
    parties: [
      {
        name: "do",
        call: async (n, options) => {
          const key = n % KEYS;
          const { value } = await flights.do(key, work(key), options);
          expect(results.get(value), "a caller gets what was asked for").toBe(key);
        },
      },
    ],
    checkBounds: () => {
      expect(flights.size).toBeLessThanOrEqual(KEYS);
      for (const contexts of wanted.values()) {
        const live = contexts.filter(({ error }) => error === undefined).length;
        expect(live, "promise 2: one flight a key").toBeLessThanOrEqual(1);
      }
    },
    explains: (error, n) => error instanceof Failure && error.of === n % KEYS,
    end: () => {},
    checkAccounts: () => expect(flights.size, "promise 4: no flight is left").toBe(0),
  };
}

/** The work does not end. */
function flightJam(flights: FlightLike): Jam {
  const gate = new AbortController();
  const work = async (): Promise<number> => {
    await sleep(Number.POSITIVE_INFINITY, gate).catch(() => {});
    return 1;
  };
  return {
    call: (_, options) => flights.do(0, work, options),
    waiting: () => flights.waiting(0),
    free: () => gate.abort(),
  };
}

export function flightSubject(make: () => FlightLike): Subject {
  return {
    crowds: { "": () => flightCrowd(make()) },
    jams: { do: () => flightJam(make()) },
    busy: {
      "flights that land at once": async (over) => {
        const flights = make();
        while (!over()) await flights.do(1, async () => 1);
      },
    },
    failing: {
      do: (work) => make().do(1, work),
      "do, together with others": async (work) => {
        const flights = make();
        const ends = await Promise.all([1, 2, 3].map(() => ended(flights.do(1, work))));
        const errors = new Set(ends.map((end) => ("error" in end ? end.error : end)));
        expect(errors.size, "promise 7: all are told the same").toBe(1);
        throw [...errors][0];
      },
    },
    callbacks: {
      "the work of the leader": async ({ owner, other, callback }) => {
        const flights = make();
        const work = async (): Promise<number> => {
          callback();
          await sleep(5);
          return 1;
        };
        const leader = owner(() => flights.do(1, work));
        await sleep(1);
        await Promise.all([leader, other(() => flights.do(1, work))]);
      },
    },
  };
}
