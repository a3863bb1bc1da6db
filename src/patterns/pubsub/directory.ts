/**
 * Who is told of what.
 *
 * Invariant
 *   I1  A topic is in the map exactly as long as it has members.
 */
import type { Delivery } from "./publish-waiter.ts";
import type { TopicPattern } from "./topics.ts";

/** Whom a bus tells. */
export interface Member {
  /** How many subscribers it stands for: none, if it only listens in. */
  readonly subscribers: number;
  /** Whether a publisher would have to wait for it. */
  readonly full: boolean;
  /**
   * Takes a message in, or drops it, or adds to `pending` what waits for room. Gives how many have taken it. Never throws.
   */
  offer(message: unknown, topic: string, pending?: Delivery[]): number;
  /** No more messages. */
  finish(): void;
}

/** Several as one. */
class Members implements Member {
  readonly #members: Set<Member>;

  constructor(members: Iterable<Member>) {
    this.#members = new Set(members);
  }

  get subscribers(): number {
    let count = 0;
    for (const { subscribers } of this.#members) count += subscribers;
    return count;
  }

  get full(): boolean {
    for (const { full } of this.#members) if (full) return true;
    return false;
  }

  offer(message: unknown, topic: string, pending?: Delivery[]): number {
    let accepted = 0;
    for (const member of this.#members) accepted += member.offer(message, topic, pending);
    return accepted;
  }

  finish(): void {
    for (const member of this.#members) member.finish();
  }

  add(member: Member): void {
    this.#members.add(member);
  }

  /** Says whether nobody is left. */
  remove(member: Member): boolean {
    this.#members.delete(member);
    return this.#members.size === 0;
  }
}

const NOBODY = new Members([]);

export class Directory {
  /** One who is alone stands for itself. */
  readonly #topics = new Map<string, Member>();
  readonly #patterns = new Map<Member, TopicPattern>();

  add(on: string | TopicPattern, member: Member): void {
    if (typeof on !== "string") {
      this.#patterns.set(member, on);
      return;
    }
    const there = this.#topics.get(on);
    if (there instanceof Members) there.add(member);
    else this.#topics.set(on, there === undefined ? member : new Members([there, member]));
  }

  /** Does nothing the second time. */
  remove(on: string | TopicPattern, member: Member): void {
    if (typeof on !== "string") {
      this.#patterns.delete(member);
      return;
    }
    const there = this.#topics.get(on);
    if (there === member || (there instanceof Members && there.remove(member))) this.#topics.delete(on);
  }

  /** All who are to be told of a message on a topic, as one. */
  membersOf(topic: string): Member {
    const exact = this.#topics.get(topic) ?? NOBODY;
    if (this.#patterns.size === 0) return exact;
    const members = [exact];
    for (const [member, pattern] of this.#patterns) if (pattern.matches(topic)) members.push(member);
    return members.length === 1 ? exact : new Members(members);
  }

  /** Takes everybody out. */
  takeAll(): Member[] {
    const all = [...this.#topics.values(), ...this.#patterns.keys()];
    this.#topics.clear();
    this.#patterns.clear();
    return all;
  }
}
