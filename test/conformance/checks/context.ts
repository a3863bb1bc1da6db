/**
 * Promise 8: a callback runs in the async context of whoever handed it over, whoever is the reason that it is called.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { expect } from "vitest";
import type { Scene, Subject } from "../subject.ts";
import { type Check, checksFor, everywhere } from "./check.ts";

export function contextChecks(subject: Subject): readonly Check[] {
  return checksFor(subject.callbacks, (program) => [
    {
      name: "runs in the async context of whoever handed it over",
      promises: [8],
      run: () => everywhere(subject, () => keepsContext(program)),
    },
  ]);
}

async function keepsContext(program: (scene: Scene) => Promise<unknown>): Promise<void> {
  const storage = new AsyncLocalStorage<string>();
  const seen = new Set<string | undefined>();
  await program({
    owner: (act) => storage.run("owner", act),
    other: (act) => storage.run("other", act),
    callback: () => void seen.add(storage.getStore()),
  });
  expect([...seen], "promise 8: called, in the context of its owner").toEqual(["owner"]);
}
