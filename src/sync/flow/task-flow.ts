/**
 * The flows of this library's own producers.
 */
import { bareRuntime } from "../../core/bare-runtime.ts";
import type { Context } from "../context.ts";
import { Flow } from "../flow.ts";
import { Passage, type Way } from "./passage.ts";

/** A flow of which all tasks wait at its way out with the context of its group, and can be given up in no other way. */
export class TaskFlow<T> extends Flow<T> {
  /** @internal */
  protected override way(capacity: number | undefined, name: string | undefined, ctx: Context): Way<T> {
    const runtime = bareRuntime();
    if (runtime.scheduler !== undefined) return super.way(capacity, name, ctx);
    return new Passage<T>(runtime, capacity ?? 0, ctx);
  }
}
