import { simulate } from "concurrency-model-patterns/testing";
import { expect, test } from "vitest";
import { soak } from "./soak.ts";

test("half an hour of everything, simulated", async () => {
  expect(await soak("simulated", (program, seed) => simulate(program, { seed }))).toBeGreaterThan(0);
});
