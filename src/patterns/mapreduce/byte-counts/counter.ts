/**
 * What whoever looks for keys calls for each of them.
 */
import type { Block } from "./block.ts";

/** Counts keys; only while the call it was given to goes on. */
export interface CountKey {
  /** Counts the key that lies in the block from `from` up to, but not including, `to`: once, or `times` times. */
  (from: number, to: number, times?: number): void;
  /** Counts a key that does not lie in the block: one that had to be made. A string counts as its UTF-8. */
  readonly key: (key: string | Uint8Array, times?: number) => void;
}

/** Looks for the keys of a block, which it may change, and counts each. It does not wait. */
export type Tally = (block: Uint8Array, count: CountKey) => void;

const encoder = new TextEncoder();

/** Has the keys of a block counted. */
export function counterOf(block: Block): CountKey {
  const count = (from: number, to: number, times = 1): void => block.count(from, to, times);
  const key = (key: string | Uint8Array, times = 1): void =>
    block.countKey(typeof key === "string" ? encoder.encode(key) : key, times);
  return Object.assign(count, { key });
}
