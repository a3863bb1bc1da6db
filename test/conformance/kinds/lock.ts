/** What may be held by so many at once. */
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { background, withTimeout } from "concurrency-model-patterns/context";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { below, type Crowd, Gauge, type Jam, type Subject } from "../subject.ts";

/** One way in. */
export interface Door {
  readonly name: string;
  /** How much of the room one takes who comes in here. */
  readonly weight: number;
  /** Waits until there is room; gives the way out. */
  enter(options: CancelOptions): Promise<() => void>;
}

/** A mutex has one door and room for one; readers of a lock weigh little, and a writer takes all the room. */
export interface LockLike {
  readonly room: number;
  readonly doors: readonly [Door, ...Door[]];
  /** How many wait at all doors. */
  waiting(): number;
  /** Whether nobody is inside. */
  free(): boolean;
}

function lockCrowd(lock: LockLike): Crowd {
  const inside = new Gauge();
  return {
    parties: lock.doors.map((door) => ({
      name: door.name,
      call: async (_, options) => {
        const leave = await door.enter(options);
        inside.enter(door.weight);
        await sleep(below(4));
        inside.leave(door.weight);
        leave();
        leave();
      },
    })),
    checkBounds: () =>
      expect(inside.most, "promise 2: no more than there is room for").toBeLessThanOrEqual(lock.room),
    explains: () => false,
    end: () => {},
    checkAccounts: () => {
      expect([inside.now, lock.waiting(), lock.free()], "promises 3 and 4: all is free").toEqual([
        0,
        0,
        true,
      ]);
    },
  };
}

/** Somebody is inside. */
async function lockJam(lock: LockLike, index: number): Promise<Jam> {
  const door = lock.doors[index] ?? lock.doors[0];
  const heaviest = lock.doors.toSorted((one, other) => other.weight - one.weight)[0] as Door;
  const holders: (() => void)[] = [];
  const served: number[] = [];
  for (let held = 0; held + heaviest.weight <= lock.room; held += heaviest.weight)
    holders.push(await heaviest.enter({}));
  return {
    call: async (n, options) => {
      const leave = await door.enter(options);
      served.push(n);
      leave();
    },
    waiting: () => lock.waiting(),
    ...(door.weight === lock.room && { served }),
    free: () => {
      for (const leave of holders) leave();
    },
  };
}

/** One who wants much, among many who want little and never stop. */
async function heavyAmongLight(lock: LockLike): Promise<void> {
  const [light, heavy] = [lock.doors[0], lock.doors.at(-1) as Door];
  let entries = 0;
  let over = false;
  const isOver = (): boolean => over;
  await TaskGroup.run(async (group) => {
    for (let n = 0; n < 6; n++) {
      group.go(async () => {
        while (!isOver()) {
          const leave = await light.enter({});
          await sleep(1 + (++entries % 3));
          leave();
        }
      });
    }
    await sleep(10);
    const before = entries;
    const limit = withTimeout(background, 1000, { cause: new Error("promise 5: the heavy one starves") });
    const leave = await heavy.enter(limit.ctx).finally(() => (over = true));
    limit.cancel();
    // Those who stood before it, and those who were about to.
    expect(entries - before, "promise 5: nobody comes before one who waits").toBeLessThanOrEqual(6);
    leave();
  });
}

async function enterOften({ doors: [door] }: LockLike, over: () => boolean): Promise<void> {
  while (!over()) (await door.enter({}))();
}

export function lockSubject(make: () => LockLike): Subject {
  const jams = make().doors.map(({ name }, index) => [name, () => lockJam(make(), index)] as const);
  return {
    crowds: { "": () => lockCrowd(make()) },
    jams: Object.fromEntries(jams),
    rivals: { "one who wants much": () => heavyAmongLight(make()) },
    busy: {
      "always free": (over) => enterOften(make(), over),
      "handed round": (over) => {
        const lock = make();
        return Promise.all([enterOften(lock, over), enterOften(lock, over)]);
      },
    },
  };
}
