/**
 * The simulations under way in this process: whose runtime is the current one when one of them begins or ends.
 */
import { currentRuntime, type Runtime, useRuntime } from "../core/runtime.ts";

/** Their runtimes, the latest last, and the one that was current before the first. */
const underWay: Runtime[] = [];
let outside: Runtime | undefined;

/** A simulation begins. */
export function enter(runtime: Runtime): void {
  if (underWay.length === 0) outside = currentRuntime();
  underWay.push(runtime);
  useRuntime(runtime);
}

/** A simulation has ended: the latest of the others goes on, or what was outside. */
export function leave(runtime: Runtime): void {
  underWay.splice(underWay.indexOf(runtime), 1);
  useRuntime(underWay.at(-1) ?? outside);
}
