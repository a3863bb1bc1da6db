import { expect, test } from "vitest";
import { subjects } from "../models/subjects.ts";
import "../support/tally.ts";
import { say, SEED, share } from "./share.ts";

test.for(Object.entries(subjects))("1 million commands: %s", async ([name, run], { task }) => {
  const commands = share(1_000_000);
  task.meta.commands = await run({ seed: SEED, commands });
  say(`${name}: ${task.meta.commands} commands`);
  expect(task.meta.commands).toBeGreaterThanOrEqual(commands);
});
