import { Channel } from "concurrency-model-patterns/channel";
import { background, withCancel } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { ended } from "../support/outcomes.ts";
import { inEveryOrder } from "../support/explored.ts";
import { check, gate, how, step, together } from "../support/programs.ts";

inEveryOrder("a task group", {
  "gives each value to who joins": async () => {
    const sum = await TaskGroup.run(async (group) => {
      const [one, two] = [group.go(() => 1), group.go(() => 2)];
      return (await one.join()) + (await two.join());
    });
    check(sum === 3, `${sum}`);
  },
  "cancels the others when one fails": async () => {
    const boom = new Error("boom");
    const outcome = await ended(
      TaskGroup.run((group) => {
        group.go((ctx) => new Channel().receive(ctx));
        group.go(() => Promise.reject(boom));
      }),
    );
    check("error" in outcome && outcome.error === boom, "the failure is lost");
  },
  "throws the failure that came first": async () => {
    const group = new TaskGroup();
    for (const name of ["a", "b"]) group.go(() => Promise.reject(new Error(name)));
    const outcome = await ended(group.wait());
    check("error" in outcome && outcome.error === group.errors[0], "the first failure is lost");
  },
  "runs no more than its concurrency": async () => {
    let running = 0;
    await TaskGroup.run(
      (group) => {
        const semaphore = gate();
        for (let n = 0; n < 3; n++) {
          group.go(async () => {
            check(++running === 1, `${running} run`);
            await semaphore.acquire();
            running--;
          });
        }
      },
      { concurrency: 1 },
    );
  },
  "waits for tasks that tasks start": async () => {
    let ends = 0;
    await TaskGroup.run((group) => {
      group.go(() => {
        group.go(async () => {
          await gate().acquire();
          ends++;
        });
        ends++;
      });
    });
    check(ends === 2, `${ends}`);
  },
  "cancelled, ends every task once": async () => {
    const group = new TaskGroup();
    const handles = [1, 2].map(() => group.go((ctx) => new Channel().receive(ctx)));
    await together(() => group.cancel());
    await group.wait();
    check(
      handles.every(({ outcome }) => outcome?.ok === false),
      "one has not ended",
    );
  },
  "lets a caller of join leave, and the task go on": async () => {
    const { ctx, cancel } = withCancel(background);
    const value = await TaskGroup.run(async (group) => {
      const task = group.go(async () => (await gate().acquire(), 1));
      group.go(() => ended(task.join(ctx)));
      group.go(() => cancel());
      return task.join();
    });
    check(value === 1, `${value}`);
  },
  "a task that waits for a slot and is cancelled does not run": [
    async () => {
      const group = new TaskGroup({ concurrency: 1 });
      let ran = "waited";
      group.go(step);
      const second = group.go(() => {
        ran = "ran";
      });
      group.go(step);
      await together(() => second.cancel());
      await group.wait();
      check((second.outcome?.ok === true) === (ran === "ran"), ran);
      return ran;
    },
    "ran",
    "waited",
  ],
  "collects every failure": async () => {
    const group = new TaskGroup({ errors: "collect" });
    for (const name of ["a", "b"]) {
      group.go(async () => {
        await step();
        throw new Error(name);
      });
    }
    group.go(step);
    const end = await how(group.wait());
    check(end.startsWith("AggregateError") && group.errors.length === 2, end);
  },
});
