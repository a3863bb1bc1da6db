import { background } from "concurrency-model-patterns/context";
import { describe, expect, test } from "vitest";
import "../support/tally.ts";
import { failureOf } from "../support/outcomes.ts";
import { channelSubject } from "./channel.ts";
import { agrees } from "./harness.ts";
import { subjects } from "./subjects.ts";

/** Commands a subject; a thousand times as many with `npm run test:deep`. */
const COMMANDS = 1000;

describe("does what its model does:", () => {
  test.for(Object.entries(subjects))("%s", async ([, run], { task }) => {
    task.meta.commands = await run({ seed: 1, commands: COMMANDS });
    expect(task.meta.commands).toBeGreaterThanOrEqual(COMMANDS);
  });
});

type RealOf = typeof channelSubject.real;

const wider: RealOf = (setup) => channelSubject.real({ ...setup, capacity: setup.capacity + 1 });

const deaf: RealOf = (setup) => {
  const real = channelSubject.real(setup);
  return { ...real, apply: (command, _, id) => real.apply(command, background, id) };
};

describe("a primitive that does something else than its model", () => {
  test.each([
    ["has more room", { ...channelSubject, real: wider }],
    ["loses every cancellation", { ...channelSubject, real: deaf }],
  ])("is found out if it %s", async (_, subject) => {
    const failure = (await failureOf(agrees(subject, { seed: 1, commands: COMMANDS }))) as Error;
    expect(String(failure.cause)).toContain("model: ");
  });
});
