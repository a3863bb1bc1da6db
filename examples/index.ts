/**
 * The registry of demos: flags, usage, help and `--all` come from here. Nothing is loaded before it is needed.
 */
import type { Demo } from "./demo.ts";
import type { ParameterTable } from "./parameters.ts";

/** An entry of the registry. */
export interface Entry {
  /** The pattern: the flag, the subpath of the library, and the name of its files. */
  readonly name: string;
  /** What the usage says. */
  readonly summary: string;
  load(): Promise<{ readonly demo: Demo<ParameterTable> }>;
}

function entry<T extends ParameterTable>(
  name: string,
  summary: string,
  load: () => Promise<{ readonly demo: Demo<T> }>,
): Entry {
  return { name, summary: `Run ${summary} pattern example`, load };
}

/** In the order of the usage. */
export const registry: readonly Entry[] = [entry("pipeline", "pipeline", () => import("./pipeline.ts"))];
