/** Singleflight: many callers, one run of the work. */
import { SingleFlight } from "../src/patterns/singleflight.ts";
import { background, withCancel } from "../src/sync/context.ts";
import { check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";

const CALLERS = 16;
/** So many keys are asked for at a time, so that what works in batches has some. */
const KEYS = 8;

type Load = (key: number) => Promise<number>;

/** Gives the value, or an object that has it. */
type Ask = (key: number) => Promise<number | { readonly value: number }>;

/** Makes of `load` what runs it once for all who ask at the same time. */
type Dedupe = (load: Load) => Ask | Promise<Ask>;

const ours: Dedupe = (load) => {
  const flights = new SingleFlight<number, number>();
  return (key) => flights.do(key, () => load(key));
};

/** As `ours`, by callers who could be cancelled, each by itself. */
const oursWithSignals: Dedupe = (load) => {
  const flights = new SingleFlight<number, number>();
  const contexts = Array.from({ length: CALLERS }, () => withCancel(background).ctx);
  let caller = 0;
  return (key) => flights.do(key, () => load(key), contexts[caller++ % CALLERS]);
};

interface DataLoaderModule {
  readonly default: new (
    batch: (keys: readonly number[]) => Promise<number[]>,
  ) => {
    load(key: number): Promise<number>;
    clear(key: number): void;
  };
}

interface DedupeModule {
  readonly createCache: (options: { readonly ttl: number }) => {
    define(name: string, work: Load): { readonly load: Load };
  };
}

interface LruModule {
  readonly LRUCache: new (options: {
    readonly max: number;
    readonly fetchMethod: Load;
  }) => {
    fetch(key: number): Promise<number>;
  };
}

const peers: Readonly<Record<string, Dedupe>> = {
  // It keeps what it has loaded, until it is told not to.
  dataloader: async (load) => {
    const { default: DataLoader } = (await peer("dataloader")) as DataLoaderModule;
    const loader = new DataLoader((keys) =>
      Promise.all(
        keys.map(async (key) => {
          const value = await load(key);
          loader.clear(key);
          return value;
        }),
      ),
    );
    return (key) => loader.load(key);
  },
  "async-cache-dedupe": async (load) => {
    const { createCache } = (await peer("async-cache-dedupe")) as DedupeModule;
    const cache = createCache({ ttl: 0 }).define("load", load);
    return (key) => cache.load(key);
  },
  // It keeps some, which does not matter here: no key is asked for again.
  "lru-cache": async (load) => {
    const { LRUCache } = (await peer("lru-cache")) as LruModule;
    const cache = new LRUCache({ max: 2 * KEYS, fetchMethod: load });
    return (key) => cache.fetch(key);
  },
};

/** A first draft: a Map of promises. */
const naive: Dedupe = (load) => {
  const underWay = new Map<number, Promise<number>>();
  return (key) => {
    const there = underWay.get(key);
    if (there !== undefined) return there;
    const loading = load(key).finally(() => underWay.delete(key));
    underWay.set(key, loading);
    return loading;
  };
};

/** Asks for each key so many times at once. `runs`: how often the work is to be run for them. */
async function roundsOf(dedupe: Dedupe, runs: 1 | typeof CALLERS): Promise<Rounds> {
  let loads = 0;
  let key = 0;
  const ask = await dedupe(async (wanted) => {
    loads++;
    await Promise.resolve();
    return wanted;
  });
  return async (operations) => {
    const batches = Math.ceil(operations / (CALLERS * KEYS));
    const [firstKey, loadsBefore] = [key, loads];
    let sum = 0;
    for (let batch = 0; batch < batches; batch++) {
      const asked: ReturnType<Ask>[] = [];
      for (let n = 0; n < KEYS; n++, key++)
        for (let caller = 0; caller < CALLERS; caller++) asked.push(ask(key));
      for (const got of await Promise.all(asked)) sum += typeof got === "number" ? got : got.value;
    }
    check(sum, (CALLERS * (key - firstKey) * (firstKey + key - 1)) / 2);
    check(loads - loadsBefore, runs * KEYS * batches);
  };
}

const variant = (who: NodeVariant["who"], dedupe: Dedupe, runs: 1 | typeof CALLERS = 1): NodeVariant => ({
  who,
  setUp: () => roundsOf(dedupe, runs),
});

const NOTE =
  "Close to a half of the profile is the collection of garbage and a seventh the round itself, which awaits every call: a Map " +
  "of promises by hand, with no context, no caller who could leave and nobody told who leads, is 1.4 times as fast as this. " +
  "Callers who cannot leave wait as one already; one function tells of all who leave, which was 1.1 times as fast. What is left " +
  "belongs to a flight and not to a call: its task, its context, a waiter for who leads and one for the others.";

export const singleflight: Subject = {
  name: "singleflight",
  title: "Singleflight",
  cases: [
    {
      name: "shared",
      operation: `a call; ${CALLERS} at a time with each of ${KEYS} keys`,
      variants: {
        ours: variant("ours", ours),
        "ours, with signals": variant("ours", oursWithSignals),
        ...Object.fromEntries(Object.entries(peers).map(([name, dedupe]) => [name, variant("peer", dedupe)])),
        "Map of promises": variant("naive", naive),
        "the work each time": variant("floor", (load) => load, CALLERS),
        Go: { who: "go", program: "singleflight" },
      },
      goals: [{ of: "ours", versus: "best peer", atLeast: 1.5, note: NOTE }],
    },
  ],
};
