/** The functions that the threads of the tests call. */
import { isMainThread, threadId } from "node:worker_threads";
import { transfer } from "concurrency-model-patterns/threads";

export const square = (n) => n * n;
export const later = async (n) => {
  await new Promise((resolve) => setTimeout(resolve, n));
  return n;
};
export const where = () => ({ isMainThread, threadId });
export const workerOf = (_job, { worker }) => worker;

export class OwnError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "OwnError";
    this.code = "OWN";
  }
}
export const fail = (kind) => {
  if (kind === "own") throw new OwnError("mine", { cause: new TypeError("inner") });
  if (kind === "range") throw new RangeError("out");
  if (kind === "undefined") throw undefined;
  if (kind === "function") throw Object.assign(new Error("holds a function"), { call: () => 1 });
  throw kind;
};
export const uncopyable = () => () => 1;
export const exit = (code) => process.exit(code);
export const spin = () => {
  for (;;);
};
export const spinFor = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
};
export const exhaust = () => {
  const kept = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
};
export const crashLater = (ms) => {
  setTimeout(() => {
    throw new Error("later");
  }, ms);
  return "given";
};
export const rejectLater = (ms) => {
  setTimeout(() => void Promise.reject(new Error("nobody heard")), ms);
  return "given";
};
export const untilTold = (_job, { ctx }) =>
  new Promise((_resolve, reject) => {
    const alive = setInterval(() => {}, 1000);
    ctx.signal.addEventListener("abort", () => {
      clearInterval(alive);
      reject(ctx.signal.reason);
    });
  });
export const whyTold = (log, { ctx }) =>
  new Promise((resolve) => {
    const alive = setInterval(() => {}, 1000);
    ctx.signal.addEventListener("abort", () => {
      clearInterval(alive);
      new Int32Array(log)[0] = ctx.error.code === "TIMEOUT" ? 2 : 1;
      resolve();
    });
  });
export const mark = ([memory, index]) => Atomics.add(new Int32Array(memory), index, 1);
/** Waits for the mark, and holds its thread meanwhile; gives up some time, so that a test that fails does end. */
export const awaitMark = ([memory, index]) => Atomics.wait(new Int32Array(memory), index, 0, 10_000);
export const markAndNotify = ([memory, index]) => {
  Atomics.store(new Int32Array(memory), index, 1);
  Atomics.notify(new Int32Array(memory), index);
};
export const markThen = ([memory, index, then]) => {
  Atomics.add(new Int32Array(memory), index, 1);
  if (then === "exit") process.exit(0);
  if (then === "spin") for (;;);
  return index;
};
export const bytes = (size) => {
  const made = new Uint8Array(size).fill(7);
  return transfer(made, [made.buffer]);
};
export const sizeOf = (array) => array.byteLength;
export function* count(to) {
  for (let n = 1; n <= to; n++) yield n;
}
export async function* countSlowly([memory, to]) {
  const cells = new Int32Array(memory);
  try {
    for (let n = 1; n <= to; n++) {
      Atomics.store(cells, 0, n);
      yield n;
    }
  } finally {
    Atomics.store(cells, 1, 1);
  }
}
export const meet = async ([memory, index, fate]) => {
  markThen([memory, index, fate]);
  // Half of them wait, so that what an earlier one has left behind may hit them.
  if (index % 2 === 1) await new Promise((resolve) => setTimeout(resolve, 1));
  if (fate === "late") crashLater(Math.random() * 2);
  if (fate === "exhaust") exhaust();
};
