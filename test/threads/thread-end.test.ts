/** How threads end, with the instants chosen: what a thread has told may be heard only when it is being ended already. */
import type { HostThread, ThreadHost, ThreadListener, ThreadStart } from "../../src/threads/host.ts";
import { callState, change, type News } from "../../src/threads/protocol.ts";
import { ThreadPool } from "../../src/threads/thread-pool.ts";
import { expect, test } from "vitest";
import { failureOf, pause } from "./with-pool.ts";

type Functions = { work: (job: number) => number };

/** A thread that does nothing by itself but begin what it is sent. */
class StillThread implements HostThread {
  readonly start: ThreadStart;
  readonly listener: ThreadListener;
  state: "running" | "ending" | "gone" = "running";
  held = true;
  /** The number of the call that it has begun. */
  call = 0;

  constructor(start: ThreadStart, listener: ThreadListener) {
    this.start = start;
    this.listener = listener;
  }

  tell(news: News): void {
    this.listener.news(news);
  }

  go(exitCode: number): void {
    this.state = "gone";
    this.listener.gone(exitCode);
  }

  post(orders: Parameters<HostThread["post"]>[0]): void {
    for (const [kind, id] of orders) if (kind === "call") this.#begin(id);
  }

  hold(held: boolean): void {
    this.held = held;
  }

  terminate(): void {
    this.state = "ending";
  }

  #begin(id: number): void {
    this.call = id;
    if (this.start.cells !== undefined) change(this.start.cells, id, callState.sent, callState.begun);
  }
}

function stillHost(): { host: ThreadHost; threads: StillThread[] } {
  const threads: StillThread[] = [];
  const start = (data: ThreadStart, listener: ThreadListener): HostThread => {
    const thread = new StillThread(data, listener);
    threads.push(thread);
    return thread;
  };
  return { host: { cores: 2, sharesMemory: true, start }, threads };
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`there are ${list.length}, and so none at ${index}`);
  return found;
}

test("a thread that is being ended keeps the process alive until it has gone, though it says that it has loaded", async () => {
  const { host, threads } = stillHost();
  const pool = new ThreadPool<Functions>(host, "module", { workers: 1 });
  const call = failureOf(pool.run("work", 1));
  await pause(0);
  pool.cancel("enough");
  expect(await call).toBe("enough");
  await pause(0);
  const thread = at(threads, 0);
  expect(thread.state).toBe("ending");
  thread.tell(["loaded"]);
  expect(thread.held).toBe(true);
  thread.go(1);
  await pool.drain();
  expect(pool.size).toBe(0);
});

test("and though it gives the result of its call", async () => {
  const { host, threads } = stillHost();
  const pool = new ThreadPool<Functions>(host, "module", {
    workers: 2,
    restart: () => Number.POSITIVE_INFINITY,
  });
  const calls = [pool.run("work", 1), failureOf(pool.run("work", 2))];
  await pause(0);
  const [first, second] = [at(threads, 0), at(threads, 1)];
  first.tell(["loaded"]);
  second.tell(["loaded"]);
  await pause(0);
  expect([first.call, second.call]).not.toContain(0);
  first.tell(["done", first.call, 1, 0]);
  expect(await calls[0]).toBe(1);
  expect([first.held, second.held]).toEqual([false, true]);
  // One in its place, and one more, are of no use: none can be kept there, and that is the end of the others.
  first.go(1);
  at(threads, 2).go(1);
  at(threads, 3).go(1);
  expect(await calls[1]).toMatchObject({ code: "CRASHED", exitCode: 1 });
  expect(second.state).toBe("ending");
  second.tell(["done", second.call, 2, 0]);
  expect(second.held).toBe(true);
  second.go(1);
  await failureOf(pool.drain());
  expect(pool.size).toBe(0);
});

test("a thread that is ended because of a call is replaced, however often, and that is no failure of the pool", async () => {
  const { host, threads } = stillHost();
  const pool = new ThreadPool<Functions>(host, "module", {
    workers: 1,
    graceMs: 0,
    restart: () => Number.POSITIVE_INFINITY,
  });
  for (let life = 0; life < 5; life++) {
    const given = new AbortController();
    const call = failureOf(pool.run("work", life, { signal: given.signal }));
    await pause(0);
    const thread = at(threads, life);
    thread.tell(["loaded"]);
    await pause(0);
    given.abort("given up");
    expect(await call).toBe("given up");
    while (thread.state === "running") await pause(0);
    thread.go(1);
  }
  expect([pool.stats.restarts, threads.length]).toEqual([5, 6]);
  pool.cancel();
  await pause(0);
  at(threads, 5).go(1);
  await pool.drain();
});

test.each([true, false])(
  "a call ends its own thread and no other, with shared memory: %s",
  async (sharesMemory) => {
    const { host, threads } = stillHost();
    const pool = new ThreadPool<Functions>({ ...host, sharesMemory }, "module", { workers: 2, graceMs: 0 });
    const given = new AbortController();
    const calls = [pool.run("work", 1), failureOf(pool.run("work", 2, { signal: given.signal }))];
    await pause(0);
    const [first, second] = [at(threads, 0), at(threads, 1)];
    first.tell(["loaded"]);
    second.tell(["loaded"]);
    await pause(0);
    // Each thread counts its calls for itself.
    expect(first.call).toBe(second.call);
    given.abort("given up");
    expect(await calls[1]).toBe("given up");
    while (first.state === "running" && second.state === "running") await pause(0);
    expect([first.state, second.state]).toEqual(["running", "ending"]);
    first.tell(["done", first.call, 1, 0]);
    expect(await calls[0]).toBe(1);
    pool.cancel();
    await pause(0);
    for (const thread of threads) if (thread.state !== "gone") thread.go(1);
    await pool.drain();
  },
);

test("a thread that is one too many before it has loaded ends, and those that load do the jobs", async () => {
  const { host, threads } = stillHost();
  const pool = new ThreadPool<Functions>(host, "module", { workers: 2 });
  const call = pool.run("work", 7);
  await pause(0);
  const [first, second] = [at(threads, 0), at(threads, 1)];
  pool.resize(1);
  expect([first.state, second.state]).toEqual(["running", "ending"]);
  second.go(1);
  first.tell(["loaded"]);
  await pause(0);
  first.tell(["done", first.call, 49, 0]);
  expect(await call).toBe(49);
  pool.close();
  await pause(0);
  first.go(1);
  await pool.drain();
  expect([pool.size, pool.stats.restarts]).toEqual([0, 0]);
});
