import type { CancelOptions } from "../../../src/core/cancellation.ts";

/** For calls whose options are more than a context: what is in them of the context. */
export function signalOf({ signal }: CancelOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
