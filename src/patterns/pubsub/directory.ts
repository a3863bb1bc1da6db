/**
 * Who is told of what.
 *
 * Invariant
 *   I1  A topic is in the map exactly as long as it has members.
 */
import type { Channel } from "../../sync/channel.ts";
import type { TopicPattern } from "./topics.ts";

/** A message on its way to a member who has no room for it yet. */
export interface Pending {
  /** Where its publisher waits. */
  readonly channel: Channel<unknown>;
  /** The message as this member gets it. */
  readonly value: unknown;
}

/** Whom a bus tells. */
export interface Member {
  /** Whether it is a subscriber, and not one who only listens in. */
  readonly subscribed: boolean;
  /** Whether a publisher would have to wait for it. */
  readonly full: boolean;
  /** Takes a message in, or drops it, or says where to wait. Never throws. */
  offer(message: unknown, topic: string): "accepted" | "dropped" | Pending;
  /** No more messages. */
  finish(): void;
}

export class Directory {
  readonly #topics = new Map<string, Set<Member>>();
  readonly #patterns = new Map<Member, TopicPattern>();

  add(on: string | TopicPattern, member: Member): void {
    if (typeof on !== "string") this.#patterns.set(member, on);
    else this.#topics.set(on, (this.#topics.get(on) ?? new Set()).add(member));
  }

  /** Does nothing the second time. */
  remove(on: string | TopicPattern, member: Member): void {
    if (typeof on !== "string") this.#patterns.delete(member);
    else if (this.#topics.get(on)?.delete(member) === true && this.#topics.get(on)?.size === 0)
      this.#topics.delete(on);
  }

  /** Who is to be told of a message on a topic. */
  membersOf(topic: string): Iterable<Member> {
    const exact = this.#topics.get(topic) ?? [];
    if (this.#patterns.size === 0) return exact;
    const members = [...exact];
    for (const [member, pattern] of this.#patterns) if (pattern.matches(topic)) members.push(member);
    return members;
  }

  /** Takes everybody out. */
  takeAll(): Member[] {
    const all = [...this.#topics.values()].flatMap((members) => [...members]);
    all.push(...this.#patterns.keys());
    this.#topics.clear();
    this.#patterns.clear();
    return all;
  }
}
