/**
 * What a demo is, and what it is given. A demo shows a pattern of the library at work; it holds none of its own.
 */
import type { Context } from "concurrency-model-patterns/context";
import type { ParameterTable, ParameterValues } from "./parameters.ts";

/** What a demo runs with. It takes time from `sleep`, and chance and the time of day from here, so that it replays. */
export interface DemoRun<T extends ParameterTable> {
  /** The values of its parameters. */
  readonly params: ParameterValues<T>;
  /** Ends when the run is to be given up. */
  readonly ctx: Context;
  /** Writes a line of the transcript. */
  readonly print: (text?: string) => void;
  /** A whole number from `min` up to, but not including, `below`. */
  readonly between: (min: number, below: number) => number;
  /** The time of day as `15:04:05.000`. */
  readonly timeOfDay: () => string;
}

/** One demo. */
export interface Demo<T extends ParameterTable> {
  /** As in `Running <title> Example...` */
  readonly title: string;
  /** What it shows, for its help: a few lines. */
  readonly about: readonly string[];
  /** Two commands worth trying, for its help. */
  readonly tryThis: readonly string[];
  readonly parameters: T;
  run(run: DemoRun<T>): Promise<void>;
}

/** Gives a demo its type, with that of its parameters. */
export function defineDemo<T extends ParameterTable>(demo: Demo<T>): Demo<T> {
  return demo;
}
