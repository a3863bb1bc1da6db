/**
 * A line in which the urgent go first and nobody waits for ever.
 *
 * Invariants
 *   I1  Lanes are sorted by priority, the highest first. Within a lane, members stand in the order of their places.
 *   I2  While several lanes have members, one member in {@link PATIENCE} that are taken is the one who has waited longest.
 *       So a member with k older ones before it is taken within (k + 1) * PATIENCE turns, whoever else comes.
 *
 * By turns and not by time: the rule is the same at every pace, and needs no clock.
 */
import { type QueueNode, WaiterQueue } from "./waiter-queue.ts";

/** So many members are taken between two looks at who has waited longest, that one included. */
export const PATIENCE = 8;

/** What a member of the line has. */
export interface Ranked {
  /** The higher, the sooner. */
  readonly priority: number;
  /** Its number among all that came, in the order in which they came. */
  readonly place: number;
}

interface Lane<N extends QueueNode> {
  readonly priority: number;
  readonly members: WaiterQueue<N>;
}

export class PriorityLine<N extends QueueNode & Ranked> {
  #lanes: Lane<N>[] = [];
  #turns = 0;

  /** How many stand in it. O(lanes), as everything here; mostly there is one, and then it costs what a queue does. */
  get size(): number {
    if (this.#lanes.length < 2) return this.#lanes[0]?.members.size ?? 0;
    let size = 0;
    for (const { members } of this.#lanes) size += members.size;
    return size;
  }

  /** The one who has waited longest. */
  get oldest(): N | undefined {
    let oldest: N | undefined;
    for (const { members } of this.#lanes) {
      const { first } = members;
      if (first !== undefined && (oldest === undefined || first.place < oldest.place)) oldest = first;
    }
    return oldest;
  }

  /** Puts a node in. It may leave by itself, through its `queue`, at any time. */
  push(node: N): void {
    this.#laneOf(node.priority).push(node);
  }

  /** Takes the one whose turn it is. */
  shift(): N | undefined {
    if (this.#lanes.length < 2) return this.#lanes[0]?.members.shift();
    this.#lanes = this.#lanes.filter(({ members }) => members.size > 0);
    if (this.#lanes.length < 2) return this.#lanes[0]?.members.shift();
    this.#turns = (this.#turns + 1) % PATIENCE;
    if (this.#turns !== 0) return this.#lanes[0]?.members.shift();
    const { oldest } = this;
    oldest?.queue?.remove(oldest);
    return oldest;
  }

  #laneOf(priority: number): WaiterQueue<N> {
    const [highest] = this.#lanes;
    if (highest?.priority === priority) return highest.members;
    const at = this.#lanes.findIndex((lane) => lane.priority <= priority);
    const there = this.#lanes[at];
    if (there?.priority === priority) return there.members;
    const members = new WaiterQueue<N>();
    this.#lanes.splice(at === -1 ? this.#lanes.length : at, 0, { priority, members });
    return members;
  }
}
