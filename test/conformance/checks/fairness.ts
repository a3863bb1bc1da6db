/**
 * Promise 5: nobody starves. Who is loud does not drown out who is quiet; and tasks that only ever talk to each other
 * let the host have its turn.
 */
import { expect } from "vitest";
import { hostGetsItsTurn } from "../../support/listeners.ts";
import type { Subject } from "../subject.ts";
import { type Check, checksFor, everywhere } from "./check.ts";

export function fairnessChecks(subject: Subject): readonly Check[] {
  const promises = [5];
  return [
    ...checksFor(subject.busy, (program) => [
      { name: "lets the host have its turn", promises, run: () => letsHostHaveItsTurn(program) },
    ]),
    ...checksFor(subject.rivals, (program) => [
      { name: "hears the quiet beside the loud", promises, run: () => everywhere(subject, program) },
    ]),
  ];
}

async function letsHostHaveItsTurn(program: (over: () => boolean) => Promise<unknown>): Promise<void> {
  const turn = await hostGetsItsTurn(program);
  expect(turn, "promise 5: a timer of the host fires meanwhile").toBe(true);
}
