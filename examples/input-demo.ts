/**
 * A demo's pattern on real input: files of the user, or what is piped in.
 */
import type { Context } from "concurrency-model-patterns/context";
import type { ParameterTable, ParameterValues } from "./parameters.ts";

/** One input. */
export interface Input {
  /** As the user named it. */
  readonly name: string;
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
  /** Writes a line of the result. */
  readonly print: (text?: string) => void;
  /** Tells of something wrong in the input, and makes the run fail at its end. */
  readonly report: (problem: string) => void;
  /** Tells how many bytes have been read so far. */
  readonly progress: (bytes: number) => void;
}

/** A pattern at work on real input. */
export interface InputDemo<T extends ParameterTable> {
  /** What it does, after "it": lower case, no full stop. */
  readonly about: string;
  /** How many inputs it takes. */
  readonly files: "FILE" | "FILE...";
  readonly parameters: T;
  run(run: InputRun<T>): Promise<void>;
}

/** Gives it its type, with that of its parameters. */
export function defineInputDemo<T extends ParameterTable>(demo: InputDemo<T>): InputDemo<T> {
  return demo;
}
