/** Pipelines: three stages in a row. */
import { Readable, Transform } from "node:stream";
import { pipeline } from "../src/patterns/pipeline.ts";
import { check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";
import { effect, rxjs, streamingIterables } from "./streams.ts";
import { numbers, sumOf } from "./work.ts";

/** What a stream of Node in object mode buffers by default. */
const BUFFER = 16;

/** They run in the task that reads the values. */
const FUSED = { fused: true } as const;

const add = (n: number): number => n + 1;
const isEven = (n: number): boolean => n % 2 === 0;
const triple = (n: number): number => n * 3;

const addLater = async (n: number): Promise<number> => n + 1;
const isEvenLater = async (n: number): Promise<boolean> => n % 2 === 0;
const tripleLater = async (n: number): Promise<number> => n * 3;

/** One more for each value, the even ones of those, and three times that. */
function checkStaged(results: readonly number[], values: number): void {
  const kept = Math.floor(values / 2);
  check(results.length, kept);
  check(sumOf(results), 3 * kept * (kept + 1));
}

type Staged = (values: number) => Promise<number[]> | number[];

const rounds =
  (staged: Staged): Rounds =>
  async (values) =>
    checkStaged(await staged(values), values);

const STAGES = "asynchronous stages";
const STEPS = "synchronous stages";

const own = (idiom: string, staged: Staged): NodeVariant => ({
  who: "ours",
  idiom,
  setUp: () => rounds(staged),
});

const other = (idiom: string, load: () => Promise<Staged> | Staged, who: "peer" | "naive" = "peer") => {
  const setUp = async (): Promise<Rounds> => rounds(await load());
  return { who, idiom, setUp } satisfies NodeVariant;
};

async function* onlyEven(input: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const n of input) if (await isEvenLater(n)) yield n;
}

function staged(values: number, capacity: number): Promise<number[]> {
  return pipeline(numbers(values), { capacity })
    .map(addLater, { capacity })
    .filter(isEvenLater, { capacity })
    .map(tripleLater, { capacity })
    .toArray();
}

function withGenerator(values: number): Promise<number[]> {
  return pipeline(numbers(values)).map(addLater).through(onlyEven).map(tripleLater).toArray();
}

async function collected(values: AsyncIterable<number>): Promise<number[]> {
  const results: number[] = [];
  for await (const value of values) results.push(value);
  return results;
}

/** A stage of a stream of Node. */
function transform(work: (n: number, done: (result?: number) => void) => void): Transform {
  return new Transform({
    objectMode: true,
    transform: (n: number, _encoding, done) => work(n, (result) => done(null, result)),
  });
}

/** The results are taken by an event, the cheapest way. */
function nodeStreams(stages: () => readonly Transform[]): Staged {
  return (values) =>
    new Promise((resolve, reject) => {
      const results: number[] = [];
      let stream: Readable = Readable.from(numbers(values));
      for (const stage of stages()) stream = stream.on("error", reject).pipe(stage);
      stream.on("data", (n: number) => results.push(n));
      stream.on("end", () => resolve(results)).on("error", reject);
    });
}

const streamsLater = nodeStreams(() => [
  transform((n, done) => void addLater(n).then(done)),
  transform((n, done) => void isEvenLater(n).then((keep) => (keep ? done(n) : done()))),
  transform((n, done) => void tripleLater(n).then(done)),
]);

const streams = nodeStreams(() => [
  transform((n, done) => done(add(n))),
  transform((n, done) => (isEven(n) ? done(n) : done())),
  transform((n, done) => done(triple(n))),
]);

type Maybe<T> = T | Promise<T>;

async function* mapped(input: AsyncIterable<number>, change: (n: number) => Maybe<number>) {
  for await (const n of input) yield await change(n);
}

async function* kept(input: AsyncIterable<number>, keep: (n: number) => Maybe<boolean>) {
  for await (const n of input) if (await keep(n)) yield n;
}

async function* numbersLater(count: number): AsyncGenerator<number> {
  yield* numbers(count);
}

const generatorsLater: Staged = (values) =>
  collected(mapped(kept(mapped(numbersLater(values), addLater), isEvenLater), tripleLater));

const generators: Staged = (values) =>
  collected(mapped(kept(mapped(numbersLater(values), add), isEven), triple));

async function iterablesLater(): Promise<Staged> {
  const { map, filter, collect } = await streamingIterables();
  return (values) => collect(map(tripleLater, filter(isEvenLater, map(addLater, numbers(values)))));
}

async function iterables(): Promise<Staged> {
  const { map, filter, collect } = await streamingIterables();
  return (values) => collect(map(triple, filter(isEven, map(add, numbers(values)))));
}

async function observables(): Promise<Staged> {
  const { range, map, filter, toArray, lastValueFrom } = await rxjs();
  return (values) => lastValueFrom(range(0, values).pipe(map(add), filter(isEven), map(triple), toArray()));
}

async function observableNumbers(): Promise<Staged> {
  const { from, map, filter, toArray, lastValueFrom } = await rxjs();
  return (values) =>
    lastValueFrom(from(numbers(values)).pipe(map(add), filter(isEven), map(triple), toArray()));
}

async function effects(): Promise<Staged> {
  const { Stream, Effect } = await effect();
  const { map, filter, range, runCollect } = Stream;
  return (values) =>
    Effect.runPromise(runCollect(map(filter(map(range(0, values - 1), add), isEven), triple)));
}

/** The three steps and nothing between them. */
function loop(values: number): number[] {
  const results: number[] = [];
  for (let n = 0; n < values; n++) {
    const added = add(n);
    if (isEven(added)) results.push(triple(added));
  }
  return results;
}

async function loopLater(values: number): Promise<number[]> {
  const results: number[] = [];
  for (let n = 0; n < values; n++) {
    const added = await addLater(n);
    if (await isEvenLater(added)) results.push(await tripleLater(added));
  }
  return results;
}

const floor = (staged: Staged): NodeVariant => ({
  who: "floor",
  idiom: "a loop",
  setUp: () => rounds(staged),
});

const LINEAR =
  "A stage of a stream is called back and never awaited, and generators hand over without a task between. Here each stage is a " +
  "task: whoever of two neighbours is faster waits at each value, for a promise and nothing else; with a buffer, at a few of them. " +
  "Prototypes of nothing but four such loops, without errors or cancellation, took as long as the streams with nothing buffered, " +
  "and two thirds of that with 16. So with nothing buffered, 1.2 times as fast is out of reach of tasks that wait. Of the profile " +
  "23 % is what the engine does for promises, 11 % the loop of a stage, 5 % the way between two. Before, each wait was a waiter " +
  "with a tie to its context: of those there are so many kinds that the engine does not know where a field is. Stages that need " +
  "not be at work at the same time are fused, see the next table.";
const STEPWISE =
  "Level within what such a run can show. A generator is read here, of which the range of rxjs has none; beside is rxjs with the same " +
  "generator. A third of the time of rxjs is the array of the results; so it was here until what is collected grew by chunks, and now " +
  "it is a seventh. What is left is " +
  "a call from each step to the next, and a look whether the pipeline was given up and whether the host is due its turn. Tried: all " +
  "steps in one loop (no difference).";

export const pipelines: Subject = {
  name: "pipeline",
  title: "Pipeline",
  cases: [
    {
      name: "linear",
      operation: "a value through three stages at work at the same time, whose steps give promises",
      variants: {
        ours: own(STAGES, (values) => staged(values, 0)),
        "ours, buffered": own(`${STAGES}, ${BUFFER} buffered`, (values) => staged(values, BUFFER)),
        "ours, a generator between": own(`${STAGES}, one of them a generator`, withGenerator),
        "streams of Node": other(`${STAGES}, ${BUFFER} buffered`, () => streamsLater),
        "streaming-iterables": other("one value at a time", iterablesLater),
        "async generators": other("one value at a time", () => generatorsLater, "naive"),
        loop: floor(loopLater),
        Go: { who: "go", idiom: `${BUFFER} buffered`, program: "pipeline" },
      },
      goals: [
        { of: "ours", versus: "streams of Node", atLeast: 1.2, note: LINEAR },
        { of: "ours, buffered", versus: "streams of Node", atLeast: 1.2, note: LINEAR },
        { of: "ours", versus: "async generators", atLeast: 1, note: LINEAR },
      ],
    },
    {
      name: "fused",
      operation: "a value through three synchronous steps",
      variants: {
        ours: own("fused stages", (values) =>
          pipeline(numbers(values)).map(add, FUSED).filter(isEven, FUSED).map(triple, FUSED).toArray(),
        ),
        "ours, stages at work at the same time": own(STEPS, (values) =>
          pipeline(numbers(values)).map(add).filter(isEven).map(triple).toArray(),
        ),
        rxjs: other(STEPS, observables),
        "rxjs, from a generator": other(`${STEPS}, values from a generator`, observableNumbers),
        effect: other(STEPS, effects),
        "streams of Node": other(STEPS, () => streams),
        "streaming-iterables": other(STEPS, iterables),
        "async generators": other(STEPS, () => generators, "naive"),
        loop: floor(loop),
        Go: { who: "go", idiom: `${BUFFER} buffered`, program: "pipeline" },
      },
      goals: [{ of: "ours", versus: "rxjs", atLeast: 1, note: STEPWISE }],
    },
  ],
};
