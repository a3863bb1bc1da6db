/** The nine promises, checked against every implementation of everything that they can apply to. */
import { describe, expect, test } from "vitest";
import { checksOf } from "./checks/all.ts";
import { leaveInFewSteps } from "./checks/steps.ts";
import { subjects } from "./subjects.ts";

describe.each(Object.entries(subjects))("%s", (_, subject) => {
  test.each(checksOf(subject).map(({ name, run }) => [name, run] as const))("%s", async (__, run) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

test("every waiting call is left in few steps, however many wait", async () => {
  await expect(leaveInFewSteps(subjects)).resolves.toBeUndefined();
});
