/**
 * What the parts of this pattern have in common.
 */
import type { Context } from "../../sync/context.ts";
import type { Source } from "../../sync/source.ts";

/** What a source gives. */
export type SourceValue<S> = S extends Source<infer T> ? T : never;

/** What is known where a value is worked on. */
export interface FanWorkContext {
  /** Which worker this is, from 1. */
  readonly worker: number;
  /** Ends when the result is no longer wanted. */
  readonly ctx: Context;
}
