/** Event loop: one loop handles the events of three sources, one at a time, until it is shut down. */
import type { Context } from "concurrency-model-patterns/context";
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep, Ticker } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { duration } from "./parameters.ts";

const userActions = ["login", "logout", "click", "scroll", "submit"];
const systemActions = ["backup", "update", "maintenance", "alert", "sync"];

async function* heartbeats(source: Context): AsyncGenerator<string> {
  const ticker = new Ticker(1000);
  try {
    for (let id = 1; id <= 5; id++) {
      await ticker.receive(source);
      yield `heartbeat (timer_${id})`;
    }
  } finally {
    ticker.stop();
  }
}

export const demo = defineDemo({
  title: "Event Loop Pattern",
  about: [
    "User, system and timer events come from three sources at their own pace.",
    "One loop handles them, one at a time, and is fair to all three. After the",
    "timeout it finishes the event under way and gives up the rest.",
  ],
  tryThis: ["cmp-pattern --event-loop --timeout 2s", "cmp-pattern --event-loop --seed 7 --speed max"],
  parameters: {
    timeout: duration("how long the loop runs", 5000, 0, 3_600_000),
  },

  async run({ params, ctx, print, between }) {
    const loop = new EventLoop<{ user: string; system: string; timer: string }>({ name: "event loop" });

    function handle(kind: "user" | "system" | "timer", label: string, takesMs: number): void {
      loop.on(kind, async (event, handling) => {
        print(`Event Loop: Processing ${kind} event: ${event}`);
        await sleep(takesMs, handling);
        print(`  -> ${label} event processed: ${event}`);
      });
    }
    handle("user", "User", 100);
    handle("system", "System", 150);
    handle("timer", "Timer", 50);

    async function* userEvents(source: Context): AsyncGenerator<string> {
      for (let id = 1; id <= 8; id++) {
        await sleep(between(200, 1000), source);
        yield `${userActions[between(0, userActions.length)]} (user_${id})`;
      }
    }

    async function* systemEvents(source: Context): AsyncGenerator<string> {
      for (let id = 1; id <= 6; id++) {
        await sleep(between(500, 1500), source);
        yield `${systemActions[between(0, systemActions.length)]} (system_${id})`;
      }
    }

    loop.source("user", userEvents);
    loop.source("system", systemEvents);
    loop.source("timer", heartbeats);

    print("Event loop started...");
    await TaskGroup.run(async (group) => {
      group.go((running) => loop.run(running), { name: "event loop" });
      await sleep(params.timeout, group.ctx);
      print("Shutting down event loop...");
      loop.stop();
    }, ctx);
    print("Event Loop: Shutdown signal received, cleaning up...");
    await sleep(500, ctx);
    print("Event loop example completed!");
  },
});
