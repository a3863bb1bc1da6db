/** What variants are called in the report. */
import type { MeasuredVariant } from "../harness/measure.ts";

/** This library's and the packages' by their names; of the others, whose they are is added. */
export function nameOf({ name, who }: Pick<MeasuredVariant, "name" | "who">): string {
  return who === "ours" || who === "peer" || who === "go" || name === who ? name : `${name} (${who})`;
}
