/** All that can be checked of a subject. */
import type { Subject } from "../subject.ts";
import type { Check } from "./check.ts";
import { contextChecks } from "./context.ts";
import { errorChecks } from "./errors.ts";
import { fairnessChecks } from "./fairness.ts";
import { programChecks } from "./programs.ts";
import { timeChecks } from "./time.ts";
import { waitingChecks } from "./waiting.ts";

export function checksOf(subject: Subject): readonly Check[] {
  const kinds = [programChecks, waitingChecks, fairnessChecks, timeChecks, errorChecks, contextChecks];
  return kinds.flatMap((checks) => checks(subject));
}
