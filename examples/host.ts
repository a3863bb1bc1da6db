/**
 * What a demo on real input has of the machine. The demos themselves use nothing of Node.
 */
import type { Input } from "./input-demo.ts";

/** A file that is being made. Nobody sees it before it is whole. */
export interface OutputFile {
  write(bytes: Uint8Array): Promise<void>;
  /** It is whole: from now on it has its name. */
  commit(): void;
  /** Takes away what was written, unless it is whole. */
  discard(): void;
}

/** A module that the user has named. */
export interface LoadedModule {
  readonly url: URL;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** Whether what is there may be replaced. */
export interface Force {
  readonly force: boolean;
}

export interface Host {
  /** How many threads can run at once: 0 in a run that is logged, as that takes one event loop. */
  readonly cores: number;
  /** Begins a file that takes mode and time of change from an input. Refuses to replace one, unless by force. */
  createFile(path: string, like: Input, options: Force): OutputFile;
  /**
   * Has a folder of results written: `write` is given a path at which nothing is. Refuses to replace one that is not empty,
   * unless by force, and one that holds anything but results in any case; `prepare` says so before there are any.
   */
  prepareFolder(
    path: string,
    options: Force,
  ): { write(write: (path: string) => Promise<void>): Promise<void> };
  /** A folder for what is needed on the way; it goes at the end. */
  scratchFolder(): string;
  /** Where an input lies as a file. What is none, such as a pipe, is read to its end and put into one. */
  pathOf(input: Input): Promise<string>;
  /** Loads a module: one of the examples by its name, or any by its path. Fails if it has no such functions. */
  load(word: string, functions: readonly string[]): Promise<LoadedModule>;
}
