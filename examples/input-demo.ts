/**
 * A demo's pattern on real input: files of the user, or what is piped in.
 */
import type { Context } from "concurrency-model-patterns/context";
import type { Host } from "./host.ts";
import type { ParameterTable, ParameterValues } from "./parameters.ts";

/** One input. */
export interface Input {
  /** What it is called in messages. */
  readonly name: string;
  /** The word of the command line that it comes from: a path, or `-`. */
  readonly given: string;
  /** Where it lies, if it is a file that can be read: for threads, which read by themselves. */
  readonly path?: string | undefined;
  /** Why it cannot be read, if that is known beforehand; then its length is 0. */
  readonly problem?: unknown;
  /** Its length in bytes, if that is known beforehand. */
  readonly size?: number | undefined;
  /** Its bytes, in chunks. */
  open(): AsyncIterable<Uint8Array>;
}

/** What it runs with. */
export interface InputRun<T extends ParameterTable> {
  readonly params: ParameterValues<T>;
  /** Ends when the run is to be given up. */
  readonly ctx: Context;
  readonly inputs: readonly Input[];
  readonly host: Host;
  /** Writes a line of the result. */
  readonly print: (text?: string) => void;
  /** Tells of something wrong in the input, and makes the run fail at its end. */
  readonly report: (problem: string) => void;
  /**
   * Tells why an input is left out, and makes the run fail at its end. Throws if that is a reason to give up the others,
   * too: the run was given up, or the disk is full.
   */
  readonly skip: (input: Input, error: unknown) => void;
  /** Tells how many bytes have been read so far. */
  readonly progress: (bytes: number) => void;
}

/** A pattern at work on real input. */
export interface InputDemo<T extends ParameterTable> {
  /** What it does, after "it": lower case, no full stop. */
  readonly about: string;
  /** How many inputs it takes. */
  readonly files: "FILE" | "FILE...";
  /**
   * Whether inputs are worked on together, so that all must be there, or each by itself, so that one that cannot be read
   * is left out; or into files beside them, which takes files, and goes on when nobody reads what is printed.
   */
  readonly inputs: "together" | "each" | "beside";
  readonly parameters: T;
  /** Whether it can be done on threads only, which have no event log. */
  needsThreads(params: ParameterValues<T>): boolean;
  /** Why values do not go together, if they do not. */
  check?(params: ParameterValues<T>): string | undefined;
  run(run: InputRun<T>): Promise<void>;
}

/** Gives it its type, with that of its parameters. */
export function defineInputDemo<T extends ParameterTable>(demo: InputDemo<T>): InputDemo<T> {
  return demo;
}
