/**
 * What the suite of the nine promises needs to know of a thing in order to check it. Each kind of thing (a channel, a
 * lock, a bus …) has a small interface in `kinds/`, and a function there that makes a subject of whatever has that
 * interface. Each implementation is one line in `subjects.ts`.
 */
import { random } from "concurrency-model-patterns/testing";
import type { CancelOptions } from "../../src/core/cancellation.ts";

type Named<T> = Readonly<Record<string, T>>;

/** One implementation of one kind of thing, in all the ways in which it can be put to the test. */
export interface Subject {
  /** Whether it can be put into a simulation; by default it can. */
  readonly simulated?: false;
  /** Many callers at once, in random programs. Promises 1, 2, 3, 4, 7 and 9. */
  readonly crowds?: Named<() => Crowd>;
  /** Each waiting call, where it must wait. Promises 1, 3, 4, 5 and 7. */
  readonly jams?: Named<() => Jam | Promise<Jam>>;
  /** Calls that hardly have to wait, over and over until told to stop. Promise 5. */
  readonly busy?: Named<(over: () => boolean) => Promise<unknown>>;
  /** Programs of one who is quiet beside many who are loud; they fail if the quiet one is not heard. Promise 5. */
  readonly rivals?: Named<() => Promise<void>>;
  /** Calls that last exactly so long, and leave no timer. Promise 6. */
  readonly timed?: Named<Timed>;
  /** Calls that run user code on behalf of their caller, and end with what it throws. Promise 7. */
  readonly failing?: Named<(work: () => Promise<never>) => Promise<unknown>>;
  /** Calls on a thing that was closed with this error, which must say so. Promise 7. */
  readonly closed?: Named<(cause: Error) => Promise<unknown>>;
  /** Programs in which failure 1 is followed by failure 2, which must be found from the first. Promise 7. */
  readonly secondary?: Named<(fail: Fail) => Promise<unknown>>;
  /** Callbacks that are handed over by one, and called because of another. Promise 8. */
  readonly callbacks?: Named<(scene: Scene) => Promise<unknown>>;
}

/** A call that waits for time. */
export interface Timed {
  (ms: number): Promise<unknown>;
  /** Whether it takes several timers, one after the other, so that a jump of the clock ends only the first. */
  readonly inSteps?: boolean;
}

/** Fails, after so long. */
export type Fail = (of: number, afterMs: number) => Promise<never>;

/** Two people with an async context each, and a callback that notes the one in which it is called. */
export interface Scene {
  /** Does it as the one whose context the callback must keep. */
  readonly owner: <T>(act: () => T) => T;
  /** Does it as somebody else. */
  readonly other: <T>(act: () => T) => T;
  readonly callback: () => void;
}

/** What user code fails with, so that it can be told from whatever the library says. */
export class Failure extends Error {
  /** Whose failure it is. */
  readonly of: number;

  constructor(of: number) {
    super(`failure of ${of}`);
    this.of = of;
  }
}

/** Whose failure it is, also of a copy; undefined if it is no such failure. */
export function ownerOf(error: unknown): number | undefined {
  const { of, message } = (error ?? {}) as Partial<Failure>;
  return message === `failure of ${of}` ? of : undefined;
}

/** A kind of call. */
export interface Party {
  readonly name: string;
  /** Whether it may be refused before its signal is looked at, because something comes first that does not wait. */
  readonly refusesFirst?: boolean;
  /** One call of caller `n`, to its end: what it was granted it gives back. */
  call(n: number, options: CancelOptions): Promise<unknown>;
}

/** A thing in a state in which every call must wait. */
export interface Jam {
  call(n: number, options: CancelOptions): Promise<unknown>;
  /** How many of these calls wait. */
  waiting(): number;
  /** Lets them go on, one after the other. */
  free(): void;
  /** Who was served, in order; absent if they are served together. */
  readonly served?: readonly number[];
  /** When all have gone on: leaves nothing. */
  readonly end?: (() => void | Promise<void>) | undefined;
}

/** A thing with those who call it. It keeps accounts of all that it has given and taken. */
export interface Crowd {
  /** How many call at once in a random program; fewer where each call is a program of its own. */
  readonly callers?: number;
  readonly parties: readonly Party[];
  /** Fails if a documented bound is passed at this moment. */
  checkBounds(): void;
  /** Whether the thing may end a call of caller `n` with this; what ends a call by its own signal is not asked for. */
  explains(error: unknown, n: number): boolean;
  /** No more input; absent if that cannot be said. */
  readonly close?: (() => void) | undefined;
  /** Gives up what is left and waits until nothing of it runs. */
  end(): void | Promise<void>;
  /** After the end: fails if anything was lost, made up, or left behind. */
  checkAccounts(): void;
}

/** Counts who is inside, and the most that ever were. */
export class Gauge {
  now = 0;
  most = 0;

  enter(weight = 1): void {
    this.now += weight;
    this.most = Math.max(this.most, this.now);
  }

  leave(weight = 1): void {
    this.now -= weight;
  }
}

/** A whole number in `[0, count)`, from the runtime's chance. */
export function below(count: number): number {
  return Math.floor(random() * count);
}

/** The `code` of a failure of the library. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}
