import { expect, test } from "vitest";
import { soak } from "./soak.ts";

test("half an hour of everything, on the machine's clock", async () => {
  expect(await soak("plain", (program) => program())).toBeGreaterThan(0);
});
