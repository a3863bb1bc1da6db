import { background, withCancel } from "concurrency-model-patterns/context";
import { RwLock } from "concurrency-model-patterns/rw-lock";
import { inEveryOrder } from "../support/explored.ts";
import { check, how, step, together } from "../support/programs.ts";

/** Who is inside; fails when a writer is not alone. */
class Room {
  readonly lock = new RwLock();
  readers = 0;
  writers = 0;
  mostReaders = 0;

  readonly read = (): Promise<void> =>
    this.lock.withReadLock(async () => {
      this.readers++;
      this.mostReaders = Math.max(this.mostReaders, this.readers);
      this.#look();
      await step();
      this.readers--;
    });

  readonly write = (): Promise<void> =>
    this.lock.withWriteLock(async () => {
      this.writers++;
      this.#look();
      await step();
      this.writers--;
    });

  #look(): void {
    check(this.writers === 0 || this.writers + this.readers === 1, `${this.writers}, ${this.readers}`);
  }

  empty(): void {
    const { active, waiting } = this.lock;
    check(active.readers + active.writers + waiting.readers + waiting.writers === 0, "somebody is left");
  }
}

inEveryOrder("a read-write lock", {
  "two readers may be inside together": [
    async () => {
      const room = new Room();
      await together(room.read, room.read);
      room.empty();
      return `${room.mostReaders}`;
    },
    "1",
    "2",
  ],
  "a reader and a writer are never inside together": async () => {
    const room = new Room();
    await together(room.read, room.write);
    room.empty();
  },
  "two writers are never inside together": async () => {
    const room = new Room();
    await together(room.write, room.write);
    room.empty();
  },
  "two readers and a writer": [
    async () => {
      const room = new Room();
      await together(room.read, room.write, room.read);
      room.empty();
      return `${room.mostReaders}`;
    },
    "1",
    "2",
  ],
  "two writers and a reader": async () => {
    const room = new Room();
    await together(room.write, room.read, room.write);
    room.empty();
  },
  "readers that a writer kept out enter together when it leaves": async () => {
    const lock = new RwLock();
    const unlock = lock.tryWriteLock();
    const seen: number[] = [];
    const read = (): Promise<void> =>
      lock.withReadLock(() => {
        seen.push(lock.active.readers + lock.waiting.readers);
      });
    const reads = [read(), read()];
    await together(
      () => unlock?.(),
      () => Promise.all(reads),
    );
    check(seen.length === 2, seen.join());
  },
  "a cancelled writer lets the readers in": [
    async () => {
      const lock = new RwLock();
      const { ctx, cancel } = withCancel(background);
      const inside = lock.tryReadLock();
      let end = "";
      await together(
        async () => {
          end = await how(lock.withWriteLock(() => {}, ctx));
        },
        () => lock.withReadLock(() => {}),
        () => cancel(),
      );
      check(lock.active.readers === 1 && lock.waiting.writers === 0, "somebody is left");
      inside?.();
      return end;
    },
    "canceled",
  ],
  "a cancelled reader holds nothing": [
    async () => {
      const lock = new RwLock();
      const { ctx, cancel } = withCancel(background);
      const ends: string[] = [];
      await together(
        () => lock.withWriteLock(step),
        async () => {
          ends.push(await how(lock.withReadLock(() => {}, ctx)));
        },
        () => cancel(),
      );
      const { active, waiting } = lock;
      check(active.readers + active.writers + waiting.readers === 0, "somebody is left");
      return ends.join();
    },
    "canceled",
    "ok",
  ],
  "a try never waits and is never wrong": async () => {
    const lock = new RwLock();
    let writing = false;
    const attempt = async (): Promise<void> => {
      const read = lock.tryReadLock();
      check(read === undefined || !writing, "read while somebody writes");
      await step();
      read?.();
      const write = lock.tryWriteLock();
      if (write === undefined) return;
      check(!writing, "two write");
      writing = true;
      await step();
      writing = false;
      write();
    };
    await together(attempt, attempt);
    check(lock.active.readers + lock.active.writers === 0, "somebody is left");
  },
});
