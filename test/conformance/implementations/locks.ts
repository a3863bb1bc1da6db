/** The locks of one event loop. */
import { Mutex } from "concurrency-model-patterns/mutex";
import { RwLock } from "concurrency-model-patterns/rw-lock";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import type { Door, LockLike } from "../kinds/lock.ts";

export function mutex(): LockLike {
  const lock = new Mutex();
  return {
    room: 1,
    doors: [{ name: "lock", weight: 1, enter: (options) => lock.lock(options) }],
    waiting: () => lock.waiting,
    free: () => !lock.locked,
  };
}

export function semaphore(): LockLike {
  const permits = new Semaphore(3);
  const door = (weight: number): Door => ({
    name: `acquire ${weight}`,
    weight,
    enter: (options) => permits.acquire(weight, options),
  });
  return {
    room: 3,
    doors: [door(1), door(2), door(3)],
    waiting: () => permits.waiting,
    free: () => permits.available === 3,
  };
}

/** More readers than there are. */
const ROOM = 1000;

export function rwLock(): LockLike {
  const lock = new RwLock();
  return {
    room: ROOM,
    doors: [
      { name: "readLock", weight: 1, enter: (options) => lock.readLock(options) },
      { name: "writeLock", weight: ROOM, enter: (options) => lock.writeLock(options) },
    ],
    waiting: () => lock.waiting.readers + lock.waiting.writers,
    free: () => lock.active.readers + lock.active.writers === 0,
  };
}
