/** Fans: one stream to four workers, whose results are one stream again. */
import { fanOut } from "../src/patterns/fan.ts";
import type { NodeVariant, Rounds, Subject } from "./harness/subject.ts";
import { effect, rxjs, streamingIterables } from "./streams.ts";
import { checkInOrder, checkWorked, numbers, work } from "./work.ts";

const WORKERS = 4;

type Fanned = (values: number) => Promise<number[]>;

const AS_READY = "as they are ready";
const IN_ORDER = "in order";

const variant = (
  who: NodeVariant["who"],
  idiom: typeof AS_READY | typeof IN_ORDER,
  load: () => Promise<Fanned> | Fanned,
): NodeVariant => ({
  who,
  idiom,
  setUp: async (): Promise<Rounds> => {
    const fanned = await load();
    const check = idiom === IN_ORDER ? checkInOrder : checkWorked;
    return async (values) => check(await fanned(values), values);
  },
});

async function looped(values: number): Promise<number[]> {
  const results: number[] = [];
  for await (const result of fanOut(numbers(values), work, { workers: WORKERS })) results.push(result);
  return results;
}

async function parallelMap(): Promise<Fanned> {
  const { collect, parallelMap: map } = await streamingIterables();
  return (values) => collect(map(WORKERS, work, numbers(values)));
}

async function transform(): Promise<Fanned> {
  const { collect, transform: map } = await streamingIterables();
  return (values) => collect(map(WORKERS, work, numbers(values)));
}

async function observables(): Promise<Fanned> {
  const { from, mergeMap, toArray, lastValueFrom } = await rxjs();
  return (values) => lastValueFrom(from(numbers(values)).pipe(mergeMap(work, WORKERS), toArray()));
}

async function effects(unordered: boolean): Promise<Fanned> {
  const { Stream, Effect } = await effect();
  const worked = (n: number) => Effect.promise(() => work(n));
  const options = { concurrency: WORKERS, unordered };
  return (values) =>
    Effect.runPromise(
      Stream.runCollect(Stream.mapEffect(Stream.fromIterable(numbers(values)), worked, options)),
    );
}

/** Workers that share an iterator and push to an array: nobody can leave, and nothing holds them up. */
async function sharedIterator(values: number): Promise<number[]> {
  const results: number[] = [];
  const shared = numbers(values);
  const worker = async (): Promise<void> => {
    for (const n of shared) results.push(await work(n));
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return results;
}

async function oneByOne(values: number): Promise<number[]> {
  const results: number[] = [];
  for (const n of numbers(values)) results.push(await work(n));
  return results;
}

export const fan: Subject = {
  name: "fan",
  title: "Fan",
  cases: [
    {
      name: "fan out",
      operation: `a value worked on by one of ${WORKERS} workers, its result collected`,
      variants: {
        ours: variant(
          "ours",
          AS_READY,
          () => (values) => fanOut(numbers(values), work, { workers: WORKERS }).toArray(),
        ),
        "ours, in a loop": variant("ours", AS_READY, () => looped),
        "ours, in order": variant(
          "ours",
          IN_ORDER,
          () => (values) => fanOut(numbers(values), work, { workers: WORKERS, ordered: true }).toArray(),
        ),
        "streaming-iterables": variant("peer", IN_ORDER, parallelMap),
        "streaming-iterables transform": variant("peer", AS_READY, transform),
        rxjs: variant("peer", AS_READY, observables),
        effect: variant("peer", AS_READY, () => effects(true)),
        "effect, in order": variant("peer", IN_ORDER, () => effects(false)),
        "a shared iterator": variant("naive", AS_READY, () => sharedIterator),
        "one by one": variant("floor", IN_ORDER, () => oneByOne),
        Go: { who: "go", idiom: AS_READY, program: "fan" },
      },
      goals: [
        { of: "ours", versus: "streaming-iterables", atLeast: 4 },
        { of: "ours, in order", versus: "streaming-iterables", atLeast: 4 },
        {
          of: "ours, in a loop",
          versus: "streaming-iterables transform",
          atLeast: 1,
          note: "A loop takes results one at a time, and awaits each; what is collected is not handed to a reader at all.",
        },
      ],
    },
  ],
};
