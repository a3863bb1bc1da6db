/** The functions that the threads of the tests call. */
import { isMainThread, threadId } from "node:worker_threads";
import { Channel } from "concurrency-model-patterns/channel";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { receive, select, send } from "concurrency-model-patterns/select";
import { transfer } from "concurrency-model-patterns/threads";
import { sharedChannel } from "concurrency-model-patterns/threads/channel";

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
const movedOnce = new Uint8Array(8);
export const moveAgain = () => transfer(movedOnce, [movedOnce.buffer]);
export const giveThenExit = (n) => {
  queueMicrotask(() => process.exit(0));
  return n;
};
/** Whether it is a plain object, and has a key of its own that is called like its prototype. */
export const shapeOf = (value) => [
  Object.getPrototypeOf(value) === Object.prototype,
  Object.hasOwn(value, "__proto__"),
  "polluted" in {},
];
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

/** Receives from whichever of some channels has a value, until all have ended. */
export const consumeAny = async (handles) => {
  const seen = [];
  const open = new Map(handles.map((handle, index) => [`${index}`, sharedChannel(handle)]));
  while (open.size > 0) {
    const cases = Object.fromEntries([...open].map(([key, channel]) => [key, receive(channel)]));
    const { key, value, done } = await select(cases);
    if (done) open.delete(key);
    else seen.push(value);
  }
  return seen;
};

/** Sends the numbers from `from` up to `to`, waiting with the whole thread. */
export const produce = ([handle, from, to]) => {
  const channel = sharedChannel(handle);
  for (let n = from; n < to; n++) channel.sendSync(n);
};
/** Receives until the end, waiting with the whole thread. */
export const consume = (handle) => {
  const channel = sharedChannel(handle);
  const values = [];
  for (let next = channel.receiveSync(); next.done !== true; next = channel.receiveSync())
    values.push(next.value);
  return values;
};
/** A stage of a pipeline: takes from one channel, gives to another, and hands its end on, be it a failure. */
const between = async ([from, to], { ctx }, stage) => {
  const output = sharedChannel(to);
  try {
    await stage(pipeline(sharedChannel(from), ctx)).forEach((value) => output.send(value, ctx));
    output.close();
  } catch (error) {
    output.close(error);
    throw error;
  }
};
export const addTen = (ends, context) => between(ends, context, (flow) => flow.map((n) => n + 10));
export const squareAll = (ends, context) =>
  between(ends, context, (flow) =>
    flow.map((n) => {
      if (n === 13) throw new RangeError("unlucky");
      return n * n;
    }),
  );

/** Sends and receives in turn with its whole thread, for ever; counts that. */
export const bustle = ([handle, memory, index]) => {
  const channel = sharedChannel(handle);
  const counts = new Int32Array(memory);
  const bytes = new Uint8Array(20);
  for (let n = 0; ; n++) {
    channel.sendSync(n % 3 === 0 ? bytes : n % 3 === 1 ? n : { n });
    channel.receiveSync();
    Atomics.add(counts, index, 1);
  }
};

/** The same chance for the same seed; whole numbers below `count`. */
const chanceOf = (seed) => {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
};
/** A number as a value of one of three kinds, and back. */
const wrapped = (n) => (n % 3 === 0 ? n : n % 3 === 1 ? { n } : new Uint8Array(new Int32Array([n]).buffer));
const unwrapped = (value) => {
  if (typeof value === "number") return value;
  return value instanceof Uint8Array ? new Int32Array(value.buffer)[0] : value.n;
};
const isClosed = (error) => {
  if (error.code !== "CLOSED") throw error;
  return true;
};
/** A signal that is given up soon, or not at all. */
const impatience = (draw) => {
  const controller = new AbortController();
  const wait = draw(6);
  if (wait === 0) controller.abort("enough");
  if (wait === 1) queueMicrotask(() => controller.abort("enough"));
  if (wait === 2) setImmediate(() => controller.abort("enough"));
  return controller;
};

/** A case that never comes. */
const never = receive(new Channel());

const givenUp = (error) => {
  if (error !== "enough") throw error;
  return true;
};

/** Sends the numbers from `from` up to `to` in all ways there are, and marks those that were accepted. */
export const sendSome = async ([handle, sent, from, to, seed, way]) => {
  const channel = sharedChannel(handle);
  const marks = new Int32Array(sent);
  const draw = chanceOf(seed);
  try {
    for (let n = from; n < to; n++) {
      const value = wrapped(n);
      if (way === "sync") channel.sendSync(value);
      else if (draw(2) === 1 || !channel.trySend(value)) {
        const chosen = draw(3) === 0;
        const sending = chosen
          ? select({ sent: send(channel, value), never }, impatience(draw))
          : channel.send(value, impatience(draw));
        if ((await sending.catch(givenUp)) === true) continue;
      }
      Atomics.add(marks, n, 1);
    }
    return true;
  } catch (error) {
    return isClosed(error);
  }
};
/** Receives until the end in all ways there are, marks what it was given, and says whether each sender's came in order. */
export const receiveSome = async ([handle, received, seed, way, range]) => {
  const channel = sharedChannel(handle);
  const marks = new Int32Array(received);
  const draw = chanceOf(seed);
  const last = new Map();
  let inOrder = true;
  for (;;) {
    const next =
      way === "sync"
        ? channel.receiveSync()
        : ((draw(2) === 0 ? channel.tryReceive() : undefined) ??
          (await (draw(3) === 0
            ? select({ next: receive(channel), never }, impatience(draw))
            : channel.receive(impatience(draw))
          ).catch(givenUp)));
    if (next === true) continue;
    if (next.done === true) return inOrder;
    const n = unwrapped(next.value);
    const sender = Math.floor(n / range);
    if (n <= (last.get(sender) ?? -1)) inOrder = false;
    last.set(sender, n);
    Atomics.add(marks, n, 1);
  }
};
