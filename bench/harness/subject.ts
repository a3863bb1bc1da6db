/** What is measured: subjects of cases of variants, as their files declare them. */

/** One thing that is measured in several ways: a file of this folder, named for it. */
export interface Subject {
  /** One word, as on the command line; the file's name. */
  readonly name: string;
  readonly title: string;
  /** Its variants work on several cores at once, so they are not bound to one. */
  readonly manyCores?: boolean | undefined;
  readonly cases: readonly Case[];
}

/** The same work, done by several variants: they are run in turn, a process each. */
export interface Case {
  readonly name: string;
  /** What one operation is, in a few words: "a value sent and received". */
  readonly operation: string;
  /** Of the figures; default nanoseconds an operation. Less is better, always. */
  readonly unit?: Unit | undefined;
  /** So many operations a round, where the cost of one depends on their number; by default what fills a round. */
  readonly operations?: number | Readonly<Record<"full" | "quick", number>> | undefined;
  /** So many rounds at most, after one that warms up: where a round lasts long, however fast a variant is. */
  readonly rounds?: number | undefined;
  /** Its figures are counted and not timed, so that nothing disturbs them: its variants, none in Go, share a process. */
  readonly counted?: boolean | undefined;
  readonly variants: Readonly<Record<string, Variant>>;
  readonly goals?: readonly Goal[] | undefined;
}

export type Unit = "ns" | "ms" | "%" | "B";

/** Whose: this library's, a package's, what somebody would write without one, what the runtime itself costs, or Go's. */
export type Who = "ours" | "peer" | "naive" | "floor" | "go";

export type Variant = NodeVariant | GoVariant;

export interface NodeVariant {
  /** Go's, if it starts a program in Go. */
  readonly who: Who;
  /** How it is called, where that differs: "plain await", "try first", "batches". */
  readonly idiom?: string | undefined;
  /** Makes, once in its process, what does the rounds. */
  readonly setUp: () => Rounds | Promise<Rounds>;
}

/**
 * Does so many operations and throws if their result is wrong. What it gives is the figure, in the case's unit; with
 * nothing given, the figure is the time it took for each operation.
 */
export type Rounds = (operations: number) => Promise<number | void> | number | void;

export interface GoVariant {
  readonly who: "go";
  readonly idiom?: string | undefined;
  /** The name of the function in `go/`. */
  readonly program: string;
}

/** What a variant of ours must reach. */
export interface Goal {
  /** The variant. */
  readonly of: string;
  /** Another variant, or the best of the peers. Without one, `atMost` is a figure and not a ratio. */
  readonly versus?: "best peer" | (string & {}) | undefined;
  /** So many times as fast. */
  readonly atLeast?: number | undefined;
  /** At most so many times as long; without `versus`, at most that figure. */
  readonly atMost?: number | undefined;
  /** Where it is out of reach: what the profile shows, and what was tried. Told when it is missed. */
  readonly note?: string | undefined;
}

/** For results: throws if what a round has done is not what it should have. */
export function check(actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected))
    throw new Error(`a round gave ${String(actual)}, not ${String(expected)}`);
}
