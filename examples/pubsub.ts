/** Publish-subscribe: one publisher tells all subscribers of a topic the same. */
import { PubSub } from "concurrency-model-patterns/pubsub";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

export const demo = defineDemo({
  title: "Publish-Subscribe (Pub/Sub) Pattern",
  about: [
    "A publisher sends messages on a topic, and every subscriber gets each of",
    "them, through a buffer of its own. When the publisher closes the bus, the",
    "subscribers read what is left and are done.",
  ],
  tryThis: ["cmp-pattern --pubsub --subscribers 5 --items 2", "cmp-pattern --pubsub --seed 7 --json"],
  parameters: {
    subscribers: whole("how many subscribe", 3, 0, 1000),
    items: whole("how many messages are published", 5, 0, 100_000),
    buffer: whole("how many messages wait for a subscriber", 2, 0, 100_000),
  },

  async run({ params, ctx, print }) {
    const bus = new PubSub<{ news: string }>();

    const subscribeAndPublish = async (group: TaskGroup): Promise<void> => {
      for (let s = 1; s <= params.subscribers; s++) {
        const name = `subscriber ${s}`;
        const inbox = bus.subscribe("news", { capacity: params.buffer, name, signal: group.ctx.signal });
        const read = async (): Promise<void> => {
          for await (const message of inbox) print(`Subscriber ${s} received: ${message}`);
          print(`Subscriber ${s} done.`);
        };
        group.go(read, { name });
      }
      for (let n = 1; n <= params.items; n++) {
        print(`Publisher sending: Message ${n}`);
        await bus.publish("news", `Message ${n}`, group.ctx);
        await sleep(400, group.ctx);
      }
      bus.close();
    };

    await TaskGroup.run(subscribeAndPublish, { signal: ctx.signal });
    print("Pub/Sub example completed!");
  },
});
