/** A keyed pool as if it were a plain one: its callers ask for one key, or for several in turn. */
import type { ResourcePoolOptions } from "concurrency-model-patterns/resource-pooling";
import { KeyedResourcePool } from "concurrency-model-patterns/resource-pooling/keyed";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import type { ResourcePoolLike } from "../kinds/resource-pool.ts";

function rotating<R>(keys: number, options: ResourcePoolOptions<R>): ResourcePoolLike<R> {
  const pool = new KeyedResourcePool<number, R>({ ...options, create: (_, ctx) => options.create(ctx) });
  let calls = 0;
  return {
    get size() {
      return pool.stats.size;
    },
    get active() {
      return pool.stats.active;
    },
    get idle() {
      return pool.stats.idle;
    },
    get waiting() {
      return pool.stats.waiting;
    },
    acquire: (cancel?: CancelOptions) => pool.acquire(calls++ % keys, cancel),
    close: () => pool.close(),
    drain: () => pool.drain(),
  };
}

export const oneKey = <R>(options: ResourcePoolOptions<R>): ResourcePoolLike<R> => rotating(1, options);
export const threeKeys = <R>(options: ResourcePoolOptions<R>): ResourcePoolLike<R> => rotating(3, options);
