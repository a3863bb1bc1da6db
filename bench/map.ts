/** Maps: an asynchronous function over an array, eight calls at once. */
import { fanOut } from "../src/patterns/fan.ts";
import type { NodeVariant, Rounds, Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";
import { effect, streamingIterables } from "./streams.ts";
import { checkInOrder, numbers, work } from "./work.ts";

const CONCURRENCY = 8;

type Work = (n: number) => Promise<number>;
type Mapped = (values: readonly number[]) => Promise<readonly number[]>;

const variant = (who: NodeVariant["who"], load: () => Promise<Mapped> | Mapped, idiom = "") => ({
  who,
  idiom,
  setUp: async (): Promise<Rounds> => {
    const mapped = await load();
    let values: readonly number[] = [];
    return async (count) => {
      if (values.length !== count) values = [...numbers(count)];
      checkInOrder(await mapped(values), count);
    };
  },
});

const ours: Mapped = (values) => fanOut(values, work, { workers: CONCURRENCY, ordered: true }).toArray();

async function mapLimit(): Promise<Mapped> {
  const { mapLimit: map } = (await peer("async")) as {
    readonly mapLimit: (values: readonly number[], concurrency: number, work: Work) => Promise<number[]>;
  };
  return (values) => map(values, CONCURRENCY, work);
}

async function pMap(): Promise<Mapped> {
  const { default: map } = (await peer("p-map")) as {
    readonly default: (
      values: readonly number[],
      work: Work,
      options: { readonly concurrency: number },
    ) => Promise<number[]>;
  };
  return (values) => map(values, work, { concurrency: CONCURRENCY });
}

async function pLimit(): Promise<Mapped> {
  const { default: limiter } = (await peer("p-limit")) as {
    readonly default: (concurrency: number) => {
      map(values: readonly number[], work: Work): Promise<number[]>;
    };
  };
  const limit = limiter(CONCURRENCY);
  return (values) => limit.map(values, work);
}

async function parallelMap(): Promise<Mapped> {
  const { parallelMap: map, collect } = await streamingIterables();
  return (values) => collect(map(CONCURRENCY, work, values));
}

async function effects(): Promise<Mapped> {
  const { Effect } = await effect();
  const worked = (n: number) => Effect.promise(() => work(n));
  return (values) => Effect.runPromise(Effect.forEach(values, worked, { concurrency: CONCURRENCY }));
}

/** Loops that share a cursor: of errors, of being given up and of the rest nothing is said. */
async function cursor(values: readonly number[]): Promise<readonly number[]> {
  const results = Array.from<number>({ length: values.length });
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < values.length) {
      const at = next++;
      results[at] = await work(values[at] as number);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, loop));
  return results;
}

const NOTE =
  "Loops on a shared cursor, by hand and without errors or cancellation, are 1.7 to 2.2 times as fast as async.mapLimit: about " +
  "twice is all there is to be had. What is more here is the look whether all has been given up, the end of the source, and the " +
  "place of each result; no value makes a promise or a waiter of ours. It was 0.8 times until what is collected grew by chunks and " +
  "not in one array, which was two fifths of the time, and each result had its place, so that none waits for an earlier one.";

export const map: Subject = {
  name: "map",
  title: "Map",
  cases: [
    {
      name: "array",
      operation: `a value of an array, worked on by one of ${CONCURRENCY} calls at once, results in order`,
      variants: {
        ours: variant("ours", () => ours, "fanOut, ordered"),
        "async.mapLimit": variant("peer", mapLimit),
        "p-map": variant("peer", pMap),
        "p-limit": variant("peer", pLimit, "limit.map"),
        "streaming-iterables": variant("peer", parallelMap, "parallelMap"),
        effect: variant("peer", effects, "forEach"),
        "a shared cursor": variant("naive", () => cursor),
        "no limit": variant("floor", () => (values) => Promise.all(values.map(work)), "Promise.all"),
        Go: { who: "go", program: "map" },
      },
      goals: [{ of: "ours", versus: "async.mapLimit", atLeast: 2, note: NOTE }],
    },
  ],
};
