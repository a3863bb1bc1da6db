/**
 * What is run on every runtime, from the packed package: the primitives on the host's own clock, and every demo in a
 * simulation. Gives one line of JSON; it must be the same everywhere, as the same seed is the same run everywhere.
 */
import {
  after,
  background,
  Channel,
  Mutex,
  pipeline,
  receive,
  select,
  sleep,
  TaskGroup,
  withCancel,
  withTimeout,
} from "concurrency-model-patterns";
import { log, random, simulate } from "concurrency-model-patterns/testing";
import { now } from "concurrency-model-patterns/timers";

async function onTheHostsClock() {
  const channel = new Channel(1);
  const { ctx, cancel } = withTimeout(background, 60_000);
  const word = await TaskGroup.run(async (group) => {
    group.go(async () => {
      await sleep(2, ctx);
      await channel.send("hello", ctx);
    });
    const chosen = await select({ word: receive(channel), late: after(30_000) });
    return chosen.value;
  });
  cancel();
  const squares = await pipeline([1, 2, 3])
    .map((n) => n * n, { concurrency: 2 })
    .toArray();
  const mutex = new Mutex();
  let inside = 0;
  let most = 0;
  const enter = async () => {
    most = Math.max(most, ++inside);
    await sleep(1);
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => mutex.withLock(enter)));
  const controller = new AbortController();
  const bridged = withCancel({ signal: controller.signal });
  controller.abort(new Error("enough"));
  return { word, squares, most, cause: bridged.ctx.cause.message, yielded: await timersAreNotStarved() };
}

/** Two tasks exchange values until a timer of the host stops them. */
async function timersAreNotStarved() {
  const there = new Channel();
  const back = new Channel();
  const { ctx, cancel } = withCancel(background);
  setTimeout(() => cancel(), 10);
  const play = async (from, to) => {
    for (;;) {
      await to.send(1, ctx);
      await from.receive(ctx);
    }
  };
  const ends = await Promise.allSettled([play(there, back), play(back, there)].map((end) => end));
  return ends.map(({ status }) => status);
}

/** A pool of threads: results, an error, a stream, and a function that has to be ended with its thread. */
async function onThreads(threadPool) {
  const pool = threadPool(new URL("jobs.mjs", import.meta.url), { workers: 2, graceMs: 10 });
  const squares = await pool.map("square", [1, 2, 3, 4]).toArray();
  const error = await pool.run("fail", "no").catch(({ name, message }) => `${name}: ${message}`);
  const late = await pool.run("spin", undefined, { timeoutMs: 10 }).catch(({ code }) => code);
  const stream = await pool.stream("upTo", 40).toArray();
  await pool.drain();
  return { squares, error, late, streamed: stream.length, left: pool.size };
}

/** FNV-1a. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return (value >>> 0).toString(16);
}

async function demoHash({ demo }) {
  const params = Object.fromEntries(
    Object.entries(demo.parameters).map(([name, one]) => [name, one.default]),
  );
  const events = [];
  const run = (ctx) =>
    demo.run({
      params,
      ctx,
      print: (text = "") => log(text),
      between: (min, below) => min + Math.floor(random() * (below - min)),
      timeOfDay: () => new Date(now()).toISOString(),
    });
  const { replayable } = await simulate(run, {
    seed: 7,
    onEvent: (event) => events.push(JSON.stringify(event)),
  });
  return `${hash(events.join("\n"))} ${events.length} ${replayable}`;
}

/** The names that each public module gives: each of them can be loaded apart. */
async function namesOf(modules) {
  const names = {};
  for (const module of modules)
    names[module] = Object.keys(await import(module))
      .toSorted()
      .join(" ");
  return names;
}

/**
 * Everything, as one line. `registry` is that of the demos, `modules` are those that need no Node, `threadPool` is that of
 * the runtime.
 */
export async function smoke(registry, modules, threadPool) {
  const demos = {};
  for (const entry of registry) demos[entry.name] = await demoHash(await entry.load());
  const threads = await onThreads(threadPool);
  return JSON.stringify({ host: await onTheHostsClock(), threads, demos, modules: await namesOf(modules) });
}
