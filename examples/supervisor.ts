/** Supervisor: a worker that fails by chance, and one who starts it again each time it is gone. */
import type { Context } from "concurrency-model-patterns/context";
import { Supervisor, type SupervisorEvent } from "concurrency-model-patterns/supervisor";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { duration, number } from "./parameters.ts";

export const demo = defineDemo({
  title: "Supervisor/Restart Pattern",
  about: [
    "A worker does a piece of work, and fails by chance. A supervisor starts",
    "it again half a second later, whether it failed or finished. When time",
    "is up the supervisor stops the worker, and waits until it has stopped.",
  ],
  tryThis: ["cmp-pattern --supervisor --fail 1", "cmp-pattern --supervisor --fail 0.1 --timeout 20s"],
  parameters: {
    fail: number("how likely the worker is to fail, from 0 to 1", 0.6, 0, 1),
    timeout: duration("how long the worker is supervised", 4000, 1, 3_600_000),
  },

  async run({ params, ctx, print, between }) {
    async function work(worker: Context): Promise<void> {
      print("Worker: Started");
      await sleep(between(400, 1600), worker);
      if (between(0, 1_000_000) < params.fail * 1_000_000) {
        print("Worker: Simulated failure!");
        throw new Error("simulated failure");
      }
      print("Worker: Completed work successfully.");
    }

    function report(event: SupervisorEvent): void {
      if (event.type !== "restarting") return;
      const what = event.after === "failed" ? "failed" : "finished";
      print(`Supervisor: Worker ${what}, restarting...`);
    }

    const children = [{ id: "worker", start: (child: { ctx: Context }) => work(child.ctx) }];
    await using supervisor = new Supervisor(children, {
      intensity: Number.POSITIVE_INFINITY,
      restartDelayMs: 500,
      onEvent: report,
    });
    await sleep(params.timeout, ctx);
    print("Supervisor: Stopping worker supervision.");
    await supervisor.stop();
    print(`Supervisor example completed! Worker was restarted ${supervisor.restarts} times.`);
  },
});
