/**
 * What threads are told to do, and what they tell when they have done it.
 */
import type { Run } from "./runs.ts";
import type { FileSplit } from "./splits.ts";

/** What every order says. */
interface Order {
  /** The address of the module with the job. */
  readonly module: string;
  /** A folder that is not there yet, for what this attempt writes. */
  readonly folder: string;
  /** How much memory may be used for what is held. */
  readonly memoryBytes: number;
}

/** To map the records of a split. */
export interface MapOrder extends Order {
  readonly split: FileSplit;
  readonly partitions: number;
  /** How many records may be skipped. */
  readonly skipRecords: number;
  /** Where records begin that have ended their thread, and are to be skipped. */
  readonly poisoned: readonly number[];
  /** Where the thread says at which record it is, if somebody wants to know. */
  readonly place: SharedArrayBuffer | undefined;
}

/** A file of runs, one a partition, one behind the other. */
export interface Spill {
  /** Its name in the folder. */
  readonly name: string;
  /** Where the run of each partition ends. */
  readonly ends: readonly number[];
}

/** A record that has failed, and does not count. */
export interface SkippedRecord {
  /** The file that it is in. */
  readonly file: string;
  /** Where it begins, in bytes. */
  readonly at: number;
  /** What `map` threw, or what its thread has ended with. */
  readonly error: unknown;
}

/** What came of a split. */
export interface Mapped {
  readonly spills: readonly Spill[];
  readonly mapped: number;
  readonly emitted: number;
  readonly skipped: readonly SkippedRecord[];
}

/** To reduce a partition. */
export interface ReduceOrder extends Order {
  /** In the order of the splits. */
  readonly runs: readonly Run[];
}

/** What came of a partition. */
export interface Reduced {
  /** How many bytes of results there are. */
  readonly bytes: number;
  readonly keys: number;
}

/** The name of the file with the results, in the folder of the attempt. */
export const RESULTS = "results";

/** To write the results of a partition as text. */
export interface WriteOrder {
  readonly module: string;
  readonly run: Run;
  /** A file that is not there yet. */
  readonly file: string;
}
