/**
 * Promise 3, for every waiting call: who gives up leaves from wherever it stands, at the same cost however many wait.
 */
import { background, withCancel } from "concurrency-model-patterns/context";
import { expect } from "vitest";
import { settle } from "../../support/both-runtimes.ts";
import { plainly } from "../../support/idle-clock.ts";
import { type Ended, ended } from "../../support/outcomes.ts";
import type { Jam, Subject } from "../subject.ts";
import { countingOperations } from "./operations.ts";

/** So many wait. */
const CROWDED = 1000;
/** It is some dozens; to walk through half of the others would be hundreds. */
const FEW_STEPS = 250;

/** A jam in which very many wait. */
interface Crush {
  readonly name: string;
  readonly jam: Jam;
  readonly scopes: readonly ReturnType<typeof withCancel>[];
  readonly calls: readonly Promise<Ended>[];
}

/** Checks all of some subjects in one go, because it takes long to begin to count. */
export function leaveInFewSteps(subjects: Readonly<Record<string, Subject>>): Promise<void> {
  return plainly(async () => {
    const crushes: Crush[] = [];
    for (const [subject, { jams = {} }] of Object.entries(subjects))
      for (const [call, makeJam] of Object.entries(jams))
        crushes.push(crush(`${subject}, ${call}`, await makeJam()));
    await settle();
    countingOperations((count) => {
      for (const { name, jam, scopes } of crushes) {
        expect(jam.waiting(), `${name}: all wait`).toBe(CROWDED);
        const steps = count(() => scopes[CROWDED / 2]?.cancel(enough));
        expect(jam.waiting(), `${name}: promise 3: it leaves at once`).toBe(CROWDED - 1);
        expect(steps, `${name}: its steps are counted`).toBeGreaterThan(10);
        expect(steps, `${name}: promise 3: it does not walk past the others`).toBeLessThan(FEW_STEPS);
      }
    });
    for (const { name, jam, scopes } of crushes) {
      for (const { cancel } of scopes) cancel(enough);
      expect(jam.waiting(), `${name}: promise 3: all leave`).toBe(0);
    }
    for (const { jam, calls } of crushes) {
      for (const end of await Promise.all(calls)) expect(end).toEqual({ error: enough });
      jam.free();
      await jam.end?.();
    }
  });
}

const enough = new Error("enough");

function crush(name: string, jam: Jam): Crush {
  const scopes = Array.from({ length: CROWDED }, () => withCancel(background));
  return { name, jam, scopes, calls: scopes.map(({ ctx }, n) => ended(jam.call(n, ctx))) };
}
