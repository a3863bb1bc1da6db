/** Timeouts and cancellation: a task with a deadline, a channel that is too slow, a wait that is called off. */
import { Channel } from "concurrency-model-patterns/channel";
import { withCancel } from "concurrency-model-patterns/context";
import { after, done, receive, select } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import { sleep } from "concurrency-model-patterns/timers";
import { type DemoRun, defineDemo } from "./demo.ts";
import { duration } from "./parameters.ts";

const parameters = { timeout: duration("how long the long task may take", 2000, 1, 3_600_000) };

type Run = DemoRun<typeof parameters>;

/** A task that ends with its context, whether it is done or not. */
async function contextTimeout({ params, ctx, print, between }: Run): Promise<void> {
  const workMs = between(1000, 4000);
  print(`Starting long task (will take ${workMs / 1000}s)...`);
  const result = await timeout(
    async (task) => {
      await sleep(workMs, task);
      return "Task completed: Long task completed successfully";
    },
    {
      timeoutMs: params.timeout,
      fallback: (error) => `Task timed out: ${error.message}`,
      signal: ctx.signal,
    },
  );
  print(result);
}

/** A result that comes too late: nobody waits for it, so its sender is called off. */
async function channelTimeout(group: TaskGroup, { print }: Run): Promise<void> {
  const results = new Channel<string>();
  const sender = group.go(async (ctx) => {
    await sleep(3000, ctx);
    await results.send("Channel task completed", ctx);
  });
  const chosen = await select({ result: receive(results), late: after(1000) }, group.ctx);
  print(chosen.key === "result" ? chosen.value : "Channel task timed out");
  sender.cancel();
}

/** A wait that ends because somebody else says so. */
async function cancellation(group: TaskGroup, { ctx, print }: Run): Promise<void> {
  using wait = withCancel(group.ctx);
  group.go(async () => {
    await sleep(500, wait.ctx);
    print("Cancelling context...");
    wait.cancel();
  });
  await select({ cancelled: done(wait.ctx), late: after(2000) });
  if (ctx.error !== undefined) throw ctx.cause;
  print(`Context cancelled: ${wait.ctx.error?.message}`);
}

export const demo = defineDemo({
  title: "Timeouts and Cancellation Pattern",
  about: [
    "Three ways to stop waiting: a task that ends with its deadline, a select",
    "with a time limit, and a context that is cancelled. Whoever is no longer",
    "waited for is told, and has ended before the next part begins.",
  ],
  tryThis: [
    "cmp-pattern --timeout-cancellation --timeout 5s",
    "cmp-pattern --timeout-cancellation --timeout 250ms",
  ],
  parameters,

  async run(run) {
    const { ctx, print } = run;
    print();
    print("1. Context-based timeout example:");
    await contextTimeout(run);
    print();
    print("2. Channel-based timeout example:");
    await TaskGroup.run((group) => channelTimeout(group, run), ctx);
    print();
    print("3. Context cancellation example:");
    await TaskGroup.run((group) => cancellation(group, run), ctx);
    print();
    print("Timeouts and Cancellation example completed!");
  },
});
