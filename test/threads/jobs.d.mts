import type { ThreadJobContext, Transferred } from "concurrency-model-patterns/threads";
import type { SharedChannelHandle } from "concurrency-model-patterns/threads/channel";

export function square(n: number): number;
export function later(ms: number): Promise<number>;
export function where(job: undefined): { isMainThread: boolean; threadId: number };
export function workerOf(job: undefined, context: ThreadJobContext): number;
export function fail(kind: unknown): never;
export function uncopyable(job: undefined): () => number;
export function exit(code: number): never;
export function spin(job: undefined): never;
export function spinFor(ms: number): number;
export function exhaust(job: undefined): never;
export function crashLater(ms: number): string;
export function rejectLater(ms: number): string;
export function untilTold(job: undefined, context: ThreadJobContext): Promise<never>;
export function whyTold(log: SharedArrayBuffer, context: ThreadJobContext): Promise<void>;
export function mark(at: readonly [SharedArrayBuffer, number]): number;
export function awaitMark(at: readonly [SharedArrayBuffer, number]): "ok" | "not-equal" | "timed-out";
export function markAndNotify(at: readonly [SharedArrayBuffer, number]): void;
export function markThen(at: readonly [SharedArrayBuffer, number, "exit" | "spin" | "return"]): number;
export function bytes(size: number): Transferred<Uint8Array>;
export function moveAgain(job: undefined): Transferred<Uint8Array>;
export function giveThenExit(n: number): number;
export function shapeOf(value: object): readonly boolean[];
export function sizeOf(array: Uint8Array): number;
export function count(to: number): Generator<number>;
export function countSlowly(at: readonly [SharedArrayBuffer, number]): AsyncGenerator<number>;
export function meet(at: readonly [SharedArrayBuffer, number, string]): Promise<void>;
export function produce(job: readonly [SharedChannelHandle<number>, number, number]): void;
export function consume(handle: SharedChannelHandle<number>): number[];
export function consumeAny(handles: readonly SharedChannelHandle<number>[]): Promise<number[]>;
type Ends = readonly [from: SharedChannelHandle<number>, to: SharedChannelHandle<number>];
export function addTen(ends: Ends, context: ThreadJobContext): Promise<void>;
export function squareAll(ends: Ends, context: ThreadJobContext): Promise<void>;
export function bustle(job: readonly [SharedChannelHandle, SharedArrayBuffer, number]): never;
export type Way = "sync" | "async";
export function sendSome(
  job: readonly [
    SharedChannelHandle,
    sent: SharedArrayBuffer,
    from: number,
    to: number,
    seed: number,
    way: Way,
  ],
): Promise<boolean>;
export function receiveSome(
  job: readonly [SharedChannelHandle, received: SharedArrayBuffer, seed: number, way: Way, range: number],
): Promise<boolean>;
