/**
 * What an operation costs that can be counted: bytes, promises, and listeners that stay. One line of JSON. Run on what was
 * built, with semi-spaces that hold all of it, so that nothing is collected while it counts, and with `--no-opt`, so that
 * nothing depends on when the compiler finds the time to optimise: each run counts the same.
 */
import { createHook } from "node:async_hooks";
import { getEventListeners } from "node:events";

// Loops give the host a turn when they have run for so many milliseconds; here no time goes by.
performance.now = () => 1000;
const library = await import("concurrency-model-patterns");
const { background, Channel, fanOut, Mutex, pipeline, PubSub, RateLimiter, receive } = library;
const { ResourcePool, select, Semaphore, SingleFlight, TaskGroup, withCancel, WorkerPool } = library;

/** Operations at a time, and how often. */
const TIMES = 500;
const ATTEMPTS = 4;

const quiet = () => {};
const same = (n) => n;
const isEven = (n) => n % 2 === 0;
const fused = { fused: true };
const numbers = Array.from({ length: 128 }, (_, n) => n);
const hundred = Array.from({ length: 100 }, (_, n) => n);
const hostTurn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * Of each subject, what does its operation; it is made with the options of its waiting calls. An operation that waits
 * gives a promise, and is no async function, so that all promises are the library's. `each` counts: so many at a time.
 */
const subjects = {
  // What is known, so that it shows if the counting is wrong.
  "known: an array of 128": () => () => {
    numbers.slice();
  },
  "known: ten promises": () => () => {
    for (let n = 0; n < 10; n++) void new Promise(quiet);
  },
  "known: a listener that stays": (options) => () => options?.signal.addEventListener("abort", () => {}),
  "channel: a try pair": () => {
    const channel = new Channel(1);
    return (n) => {
      channel.trySend(n);
      channel.tryReceive();
    };
  },
  "channel: a send and a receive, buffered": (options) => {
    const channel = new Channel(1);
    return (n) => {
      void channel.send(n, options);
      return channel.receive(options);
    };
  },
  "channel: a hand-off to who waits": (options) => {
    const channel = new Channel();
    return (n) => {
      const received = channel.receive(options);
      void channel.send(n, options);
      return received;
    };
  },
  "select: one of two is ready": (options) => {
    const [one, two] = [new Channel(), new Channel(1)];
    return (n) => {
      two.trySend(n);
      return select({ one: receive(one), two: receive(two) }, options);
    };
  },
  "select: it waits for one of two": (options) => {
    const [one, two] = [new Channel(), new Channel()];
    return (n) => {
      const selected = select({ one: receive(one), two: receive(two) }, options);
      two.trySend(n);
      return selected;
    };
  },
  "semaphore: a permit tried": () => {
    const semaphore = new Semaphore(1);
    return () => semaphore.tryAcquire()();
  },
  "semaphore: a section": (options) => {
    const semaphore = new Semaphore(1);
    return () => semaphore.withPermit(quiet, options);
  },
  "semaphore: a permit waited for": (options) => {
    const semaphore = new Semaphore(1);
    return () => {
      const held = semaphore.tryAcquire();
      const acquired = semaphore.acquire(1, options).then((release) => release());
      held();
      return acquired;
    };
  },
  "mutex: a section": (options) => {
    const mutex = new Mutex();
    return () => mutex.withLock(quiet, options);
  },
  "rate limiter: a token allowed": () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1e9 });
    return () => limiter.allow();
  },
  "rate limiter: a token waited for": (options) => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1e9 });
    return () => limiter.wait(1, options);
  },
  "context: made and cancelled": (options) => {
    const parent = options ?? background;
    return () => withCancel(parent).cancel();
  },
  "pool: a job": (options) => {
    const pool = new WorkerPool(same, { workers: 1 });
    return (n) => pool.run(n, options);
  },
  "resource pool: a use": (options) => {
    const pool = new ResourcePool({ create: () => ({}), max: 1 });
    return () => pool.use(quiet, options);
  },
  "task group: a task": (options) =>
    each(() => TaskGroup.run((group) => hundred.forEach(() => group.go(quiet)), options)),
  "pubsub: a message to a handler": () => each(publishTo(1)),
  "pubsub: a message to ten handlers": () => each(publishTo(10)),
  "singleflight: a flight": (options) => {
    const flights = new SingleFlight();
    return (n) => flights.do(n, quiet, options);
  },
  "fan: a value through two workers": (options) =>
    each(() => fanOut(hundred, same, { workers: 2, ...options }).toArray()),
  "pipeline: a value through a stage": (options) =>
    each(() => pipeline(hundred, options).map(same, { concurrency: 2 }).toArray()),
  "pipeline: a value through three stages": (options) =>
    each(() => pipeline(hundred, options).map(same).map(same).map(same).toArray()),
  "pipeline: a value through three fused stages": (options) =>
    each(() => pipeline(hundred, options).map(same, fused).filter(isEven, fused).map(same, fused).toArray()),
};

/** The operation does a hundred. */
function each(operation) {
  operation.each = hundred.length;
  return operation;
}

/** Publishes a hundred, if there is room; for the last one there is none, and it waits. */
function publishTo(handlers) {
  const bus = new PubSub();
  for (let n = 0; n < handlers; n++) bus.on("news", quiet, { capacity: hundred.length - 2 });
  return () => {
    for (const n of hundred) if (!bus.tryPublish("news", n)) void bus.publish("news", n);
    return hostTurn();
  };
}

async function run(operation, times) {
  for (let n = 0; n < times; n++) {
    const done = operation(n);
    if (done !== undefined && typeof done !== "boolean") await done;
  }
}

/** What has been promised to the host's turns is part of the operations. */
async function settle() {
  for (let turn = 0; turn < 3; turn++) await hostTurn();
}

/** The least of several: what the engine itself makes now and then is none of the operation's. */
async function bytesOf(operation, times) {
  await settle();
  globalThis.gc();
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = process.memoryUsage().heapUsed;
    await run(operation, times);
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least;
}

let promises = 0;
const hook = createHook({
  init: (_, type) => {
    if (type === "PROMISE") promises++;
  },
});

async function promisesOf(operation, times) {
  await settle();
  const before = promises;
  await run(operation, times);
  return promises - before;
}

/** What `run` itself takes for an operation that waits: none of it is the operation's. */
const there = Promise.resolve();
const waiting = () => there;

async function costsOf(make, count) {
  const operation = make(undefined);
  const first = operation(0);
  await first;
  const own = first instanceof Promise ? waiting : quiet;
  const rounds = TIMES / (operation.each ?? 1);
  await run(operation, rounds);
  await run(own, rounds);
  const net = (await count(operation, rounds)) - (await count(own, rounds));
  return net / rounds / (operation.each ?? 1);
}

async function listenersOf(make) {
  const { signal } = new AbortController();
  const operation = make({ signal });
  await run(operation, 10);
  await settle();
  return getEventListeners(signal, "abort").length;
}

const costs = {};
for (const [name, make] of Object.entries(subjects)) {
  costs[name] = { bytes: Math.round(await costsOf(make, bytesOf)) };
  if (make.length > 0) costs[name].listeners = await listenersOf(make);
}
hook.enable();
for (const [name, make] of Object.entries(subjects))
  costs[name].promises = Math.round((await costsOf(make, promisesOf)) * 100) / 100;
process.stdout.write(`${JSON.stringify(costs)}\n`);
process.exit(0);
