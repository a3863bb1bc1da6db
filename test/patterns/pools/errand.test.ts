import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { Errand } from "../../../src/patterns/pools/errand.ts";

class Sent extends Errand<number> {
  readonly told: unknown[] = [];

  override onCancel(reason: unknown): void {
    this.told.push(reason);
  }
}

/** A pool of one worker, and the errands that it sends. */
function errands(): { readonly pool: WorkerPool<void, number>; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const send = (): number => {
    sent.push(new Sent());
    // What the types do not say is for handlers of the library alone.
    return sent.at(-1) as unknown as number;
  };
  return { pool: new WorkerPool<void, number>(send, { workers: 1, capacity: 8 }), sent };
}

describe("an errand", () => {
  test("is told of by a call, and then its worker has the next job", async () => {
    const { pool, sent } = errands();
    const results = [pool.run(), pool.run()];
    const error = new Error("lost on its way");
    await nextTurn();
    expect(sent.length).toBe(1);
    sent[0]?.grant(5);
    sent[0]?.fail(error);
    await expect(results[0]).resolves.toBe(5);
    await nextTurn();
    expect(sent.length).toBe(2);
    sent[1]?.fail(error);
    await expect(results[1]).rejects.toBe(error);
    expect(sent.map(({ told }) => told)).toEqual([[], []]);
    await pool.drain();
  });

  test("is told once if its job is given up, and keeps its worker until it ends", async () => {
    const { pool, sent } = errands();
    const [mine, reason] = [new AbortController(), new Error("not wanted any more")];
    const given = pool.run(undefined, { signal: mine.signal });
    const next = pool.run();
    await nextTurn();
    expect(sent.length).toBe(1);
    mine.abort(reason);
    await expect(given).rejects.toBe(reason);
    pool.cancel(new Error("all is over"));
    await expect(next).rejects.toThrow("all is over");
    expect([sent.length, pool.active, sent[0]?.told]).toEqual([1, 1, [reason]]);
    sent[0]?.grant(5);
    await pool.drain();
    expect([sent.length, pool.active]).toEqual([1, 0]);
  });

  test("is told if the time of its job is up, or the pool is cancelled", async () => {
    const { pool, sent } = errands();
    const late = pool.run(undefined, { timeoutMs: 1 });
    await expect(late).rejects.toThrow("the job took longer than 1 ms");
    sent[0]?.grant(5);
    const last = pool.run();
    await nextTurn();
    expect(sent.length).toBe(2);
    pool.cancel(new Error("all is over"));
    await expect(last).rejects.toThrow("all is over");
    sent[1]?.grant(5);
    await pool.drain();
    expect(sent.map(({ told }) => told.map(String))).toEqual([
      ["TimeoutError: the job took longer than 1 ms"],
      ["Error: all is over"],
    ]);
  });
});
