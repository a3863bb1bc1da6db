/**
 * The children of a supervisor, in order, and what each is about.
 */
import type { ChildStatus } from "./inner.ts";
import type { ChildLife } from "./life.ts";
import type { CheckedSpec } from "./spec.ts";

/** Idle, due at an instant, or with a life. */
export type MemberState =
  | { readonly is: "idle" }
  | { readonly is: "due"; readonly atMs: number }
  | { readonly is: "starting" | "running" | "stopping"; readonly life: ChildLife };

/** Neither runs nor will. */
export const IDLE: MemberState = { is: "idle" };

interface Streak {
  readonly restarts: number;
  readonly delayMs: number;
}

/** No restart since it was last healthy. */
export const NO_STREAK: Streak = { restarts: 0, delayMs: 0 };

/** One child, over all its lives. */
export class Member {
  readonly spec: CheckedSpec;
  /** How often it was started. */
  starts = 0;
  /** The restarts in a row, with no healthy life between them: how many there were, and how long the last one waited. */
  streak: Streak = NO_STREAK;
  /** Written by {@link Roster.set} alone. */
  state: MemberState = IDLE;

  constructor(spec: CheckedSpec) {
    this.spec = spec;
  }

  /** Whether `life` is the one that it runs now. */
  runs(life: ChildLife): boolean {
    return this.state.is === "running" && this.state.life === life;
  }

  /** What it looks like now. */
  node(): ChildStatus {
    const { id, restart } = this.spec;
    const supervisor = "life" in this.state ? this.state.life.inner?.tree() : undefined;
    return { id, state: this.state.is, restart, restarts: Math.max(0, this.starts - 1), supervisor };
  }
}

/**
 * Invariants
 *   I1  `#due` holds those that are due, and `#active` counts those with a life.
 *   I2  Only an idle member is forgotten.
 */
export class Roster {
  readonly #members = new Map<string, Member>();
  readonly #due = new Set<Member>();
  #active = 0;

  constructor(specs: readonly CheckedSpec[]) {
    for (const spec of specs) this.add(spec);
  }

  /** How many there are. */
  get size(): number {
    return this.#members.size;
  }

  /** How many have a life. */
  get active(): number {
    return this.#active;
  }

  /** Whether nobody runs and nobody will. */
  get idle(): boolean {
    return this.#active === 0 && this.#due.size === 0;
  }

  /** All of them, in order. */
  get all(): readonly Member[] {
    return [...this.#members.values()];
  }

  /** The one of that name. */
  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /** Puts a new one at the end. */
  add(spec: CheckedSpec): Member {
    const member = new Member(spec);
    this.#members.set(spec.id, member);
    return member;
  }

  /** Takes one out for good. */
  forget(member: Member): void {
    if (this.#members.get(member.spec.id) === member) this.#members.delete(member.spec.id);
  }

  /** Changes the state of one. */
  set(member: Member, state: MemberState): void {
    this.#active += Number("life" in state) - Number("life" in member.state);
    member.state = state;
    if (state.is === "due") this.#due.add(member);
    else this.#due.delete(member);
  }

  /** Whether anybody is to be started, now or later. */
  get anyDue(): boolean {
    return this.#due.size > 0;
  }

  /** Whom it is time to start. */
  dueAt(nowMs: number): readonly Member[] {
    return [...this.#due].filter(({ state }) => state.is === "due" && state.atMs <= nowMs);
  }

  /** When the next one is due; `Infinity` if none is. */
  get nextDueMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { state } of this.#due) if (state.is === "due") nextMs = Math.min(nextMs, state.atMs);
    return nextMs;
  }
}
