/** The parts of streams of other packages that are used here: the least of their types, as they are looked up by name. */
import { peer } from "./peers.ts";

type Step = (stream: never) => unknown;

interface Piped {
  pipe(...steps: unknown[]): Piped;
}

export interface Rxjs {
  readonly from: (values: Iterable<number>) => Piped;
  readonly range: (start: number, count: number) => Piped;
  readonly map: (change: (n: number) => number) => Step;
  readonly filter: (keep: (n: number) => boolean) => Step;
  readonly mergeMap: (work: (n: number) => Promise<number>, concurrency: number) => Step;
  readonly toArray: () => Step;
  readonly lastValueFrom: (stream: Piped) => Promise<number[]>;
}

export const rxjs = (): Promise<Rxjs> => peer("rxjs") as Promise<Rxjs>;

type AnyIterable = Iterable<number> | AsyncIterable<number>;

export interface StreamingIterables {
  readonly map: (
    change: (n: number) => number | Promise<number>,
    values: AnyIterable,
  ) => AsyncIterable<number>;
  readonly filter: (
    keep: (n: number) => boolean | Promise<boolean>,
    values: AnyIterable,
  ) => AsyncIterable<number>;
  readonly parallelMap: (
    concurrency: number,
    work: (n: number) => Promise<number>,
    values: AnyIterable,
  ) => AsyncIterable<number>;
  readonly transform: StreamingIterables["parallelMap"];
  readonly collect: (values: AsyncIterable<number>) => Promise<number[]>;
}

export const streamingIterables = (): Promise<StreamingIterables> =>
  peer("streaming-iterables") as Promise<StreamingIterables>;

/** Effects and streams are opaque here: they are made and handed on. */
interface Opaque {
  readonly opaque: unique symbol;
}

export interface Effect {
  readonly Effect: {
    readonly runPromise: <A>(effect: Opaque) => Promise<A>;
    readonly promise: <A>(call: () => Promise<A>) => Opaque;
    readonly forEach: (
      values: Iterable<number>,
      work: (n: number) => Opaque,
      options: { readonly concurrency: number },
    ) => Opaque;
    readonly asVoid: (effect: Opaque) => Opaque;
  };
  readonly Stream: {
    readonly range: (least: number, most: number) => Opaque;
    readonly fromIterable: (values: Iterable<number>) => Opaque;
    readonly map: (stream: Opaque, change: (n: number) => number) => Opaque;
    readonly filter: (stream: Opaque, keep: (n: number) => boolean) => Opaque;
    readonly mapEffect: (
      stream: Opaque,
      work: (n: number) => Opaque,
      options: { readonly concurrency: number; readonly unordered?: boolean },
    ) => Opaque;
    readonly runCollect: (stream: Opaque) => Opaque;
  };
  readonly Semaphore: {
    readonly makeUnsafe: (permits: number) => {
      withPermits(permits: number): (effect: Opaque) => Opaque;
    };
  };
}

export const effect = (): Promise<Effect> => peer("effect") as Promise<Effect>;
