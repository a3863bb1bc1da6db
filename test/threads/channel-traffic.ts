/**
 * Traffic on a shared channel: threads that send and receive in every way, give up, close it while others are at it, or
 * are ended in the middle.
 */
import { threadPool } from "concurrency-model-patterns/threads";
import { type SharedChannel, sharedChannel } from "concurrency-model-patterns/threads/channel";
import type * as functions from "./jobs.mjs";

const jobs = new URL("jobs.mjs", import.meta.url);

/** What came of it. */
export interface Traffic {
  /** How many values were accepted, and received. */
  readonly accepted: number;
  readonly received: number;
  /** Values that were accepted and not received once, or received without having been accepted. */
  readonly wrong: readonly number[];
  /** Whether the values of each sender have reached each receiver in order. */
  readonly inOrder: boolean;
  readonly left: number;
}

/** Three senders of `range` values each and three receivers, this thread among both. `closeAt`: after so many accepted. */
export async function traffic(
  range: number,
  capacity: number,
  seed: number,
  closeAt: number,
): Promise<Traffic> {
  await using pool = threadPool<typeof functions>(jobs, { workers: 4 });
  const { sendSome, receiveSome } = await import("./jobs.mjs");
  const channel = sharedChannel<unknown>(capacity, { valueBytes: 64 });
  const [sent, received] = [new SharedArrayBuffer(12 * range), new SharedArrayBuffer(12 * range)];
  const senders = (["sync", "async"] as const).map((way, n) =>
    pool.run("sendSome", [channel.handle, sent, n * range, (n + 1) * range, seed + n, way]),
  );
  senders.push(sendSome([channel.handle, sent, 2 * range, 3 * range, seed + 2, "async"]));
  const receivers = (["sync", "async"] as const).map((way, n) =>
    pool.run("receiveSome", [channel.handle, received, seed + 3 + n, way, range]),
  );
  receivers.push(receiveSome([channel.handle, received, seed + 5, "async", range]));
  const marks = new Int32Array(sent);
  let over = false;
  const isOver = (): boolean => over;
  const sending = Promise.all(senders).then(() => (over = true));
  while (!isOver() && marks.reduce((count, mark) => count + mark, 0) < closeAt)
    await new Promise((resolve) => setTimeout(resolve, 1));
  channel.close();
  await sending;
  const inOrder = (await Promise.all(receivers)).every((ordered) => ordered);
  const given = new Int32Array(received);
  const wrong = [...marks.keys()].filter((n) => marks[n] !== given[n] || (given[n] ?? 0) > 1);
  const sum = (counts: Int32Array): number => counts.reduce((total, count) => total + count, 0);
  return { accepted: sum(marks), received: sum(given), wrong, inOrder, left: channel.size };
}

/** What was left of a channel by threads that were ended while they were at it. */
export interface Leftover {
  /** How often they had sent and received. */
  readonly moves: number;
  /** How many values went through it afterwards, in order, one after the other. */
  readonly through: number;
  /** How many it still holds at once. */
  readonly holds: number;
}

/** Two threads send and receive until they are ended, in the midst of it, `rounds` times. */
export async function killsAtSea(rounds: number, capacity: number): Promise<Leftover> {
  const settings = { workers: 2, graceMs: 0, restart: () => 0, onError: () => {} };
  await using pool = threadPool<typeof functions>(jobs, settings);
  const channel = sharedChannel<unknown>(capacity, { valueBytes: 64 });
  const memory = new SharedArrayBuffer(8);
  const moves = new Int32Array(memory);
  for (let round = 0; round < rounds; round++) {
    const before = [...moves];
    const controller = new AbortController();
    const calls = before.map((_, n) =>
      pool.run("bustle", [channel.handle, memory, n], controller).catch(() => {}),
    );
    while (moves.some((count, n) => count === before[n]))
      await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    await Promise.all(calls);
    while (pool.active > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const sum = (moves[0] ?? 0) + (moves[1] ?? 0);
  return { moves: sum, ...(await whatIsLeft(channel)) };
}

/** First whatever is in it is taken out. A value that comes out is one that went in, so nobody waits for ever. */
async function whatIsLeft(channel: SharedChannel<unknown>): Promise<Omit<Leftover, "moves">> {
  const last = "the last of the old";
  await Promise.all([
    channel.send(last),
    (async () => {
      while ((await channel.receive()).value !== last);
    })(),
  ]);
  let through = 0;
  for (let n = 0; n < 3 * channel.capacity; n++) {
    await channel.send(n);
    if ((await channel.receive()).value === n) through++;
  }
  let holds = 0;
  while (channel.trySend(holds)) holds++;
  return { through, holds };
}
