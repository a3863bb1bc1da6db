import { background, withCancel } from "concurrency-model-patterns/context";
import { now, sleep } from "concurrency-model-patterns/timers";
import { expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { giveTurn } from "../../src/core/fairness.ts";
import { currentRuntime } from "../../src/core/runtime.ts";
import { plainly } from "./idle-clock.ts";
import { ended } from "./outcomes.ts";

/** Keeps the machine busy for longer than a slice, as a busy machine does by itself. */
function computeForLong(): void {
  const until = systemClock.now() + 6;
  while (systemClock.now() < until);
}

test("time does not jump while a program only waits for the host's turn", async () => {
  await plainly(async () => {
    const { ctx, cancel } = withCancel(background);
    const later = ended(sleep(1000, ctx));
    for (let turn = 0; turn < 5; turn++) {
      computeForLong();
      await giveTurn(currentRuntime());
    }
    expect(now()).toBe(0);
    cancel();
    await later;
  });
});
