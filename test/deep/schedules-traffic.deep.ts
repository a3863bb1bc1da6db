import { expect, test } from "vitest";
import "../support/tally.ts";
import { trafficMix } from "./mixes.ts";
import { exploreMix } from "./schedules.ts";
import { share } from "./share.ts";

test("5 million schedules of traffic by chance", async ({ task }) => {
  task.meta.schedules = await exploreMix("traffic", trafficMix);
  expect(task.meta.schedules).toBeGreaterThanOrEqual(share(5_000_000));
});
