/** Singleflight: requests for the same key that overlap are answered by one execution. */
import { SingleFlight } from "concurrency-model-patterns/singleflight";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

export const demo = defineDemo({
  title: "Singleflight (Spaceflight) Pattern",
  about: [
    "Several requests ask for the same key at the same time. The first one to",
    "come executes an expensive operation; the others wait for its result.",
    "Requests for different keys do not wait for each other.",
  ],
  tryThis: ["cmp-pattern --singleflight --callers 20", "cmp-pattern --singleflight --seed 7 --json"],
  parameters: {
    callers: whole("how many requests ask for the same key", 5, 1, 10_000),
  },

  async run({ params, ctx, print }) {
    const flights = new SingleFlight<string, string>({
      name: "requests",
      onJoin: (key) => print(`Duplicate call for key ${key}, waiting for result...`),
    });

    /** Calls `request` once for each of `keys`, all at the same time; gives the results in the order of `keys`. */
    const requestAll = (
      keys: readonly string[],
      request: (key: string, id: number, options: { readonly signal: AbortSignal }) => Promise<string>,
    ): Promise<string[]> =>
      TaskGroup.run(
        async (group) => {
          const handles = keys.map((key, id) =>
            group.go((task) => request(key, id, task), { name: `request ${id}` }),
          );
          const results: string[] = [];
          for (const handle of handles) results.push(await handle.join(group.ctx));
          return results;
        },
        { name: "requests", signal: ctx.signal },
      );

    const key = "user:123";
    print(`Making ${params.callers} concurrent requests for key: ${key}`);
    const results = await requestAll(
      Array.from({ length: params.callers }, () => key),
      async (key, id, task) => {
        print(`Request ${id}: Starting...`);
        const { value } = await flights.do(
          key,
          async (flight) => {
            print(`Request ${id}: Executing expensive operation...`);
            await sleep(2000, flight);
            return `Data for ${key} (processed by request ${id})`;
          },
          task,
        );
        print(`Request ${id}: Completed with result: ${value}`);
        return value;
      },
    );

    print();
    print("All results should be identical:");
    for (const [id, result] of results.entries()) print(`  Request ${id}: ${result}`);

    print();
    print("Testing with different keys:");
    await requestAll([key, "user:456", key], async (key, id, task) => {
      const { value } = await flights.do(
        key,
        async (flight) => {
          print(`Request ${id}: Executing for key ${key}...`);
          await sleep(1000, flight);
          return `Data for ${key}`;
        },
        task,
      );
      print(`Request ${id}: Key ${key} -> ${value}`);
      return value;
    });

    print();
    print("Singleflight example completed!");
  },
});
