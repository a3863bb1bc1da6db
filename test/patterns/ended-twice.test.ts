/** Whatever has an end may be ended again, in every way and any number of times: nothing throws, and nothing hangs. */
import { Channel } from "concurrency-model-patterns/channel";
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { fanOut } from "concurrency-model-patterns/fan";
import { broadcast } from "concurrency-model-patterns/fan/broadcast";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { consume, JobQueue } from "concurrency-model-patterns/producer-consumer";
import { AcknowledgedQueue } from "concurrency-model-patterns/producer-consumer/acknowledged-queue";
import { inBatches } from "concurrency-model-patterns/producer-consumer/batches";
import { OrderedQueue } from "concurrency-model-patterns/producer-consumer/ordered-queue";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { subscribeWithGaps } from "concurrency-model-patterns/pubsub/gaps";
import { QueueGroup } from "concurrency-model-patterns/pubsub/queue-group";
import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
import { Supervisor } from "concurrency-model-patterns/supervisor";
import { DynamicSupervisor } from "concurrency-model-patterns/supervisor/dynamic";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect } from "vitest";
import { inBothRuntimes } from "../support/both-runtimes.ts";

const waysToEnd: readonly PropertyKey[] = [
  "close",
  "stop",
  "cancel",
  "unsubscribe",
  "drain",
  Symbol.dispose,
  Symbol.asyncDispose,
];

const live = { id: "child", start: () => sleep(1) };
const bus = (): PubSub<{ topic: number }> => new PubSub();

const things: Readonly<Record<string, () => unknown>> = {
  pipeline: () => pipeline([1, 2]).map((n) => n, { concurrency: 2 }),
  fanOut: () => fanOut([1, 2], (n) => n, { workers: 2 }),
  "a reader of a broadcast": () => broadcast(new Channel<number>(1), 1)[0],
  WorkerPool: () => new WorkerPool((n: number) => n, { workers: 2 }),
  JobQueue: () => new JobQueue<number>({ capacity: 1 }),
  QueueProducer: () => new JobQueue<number>({ capacity: 1 }).producer(),
  OrderedQueue: () => new OrderedQueue<number>({ capacity: 1 }),
  AcknowledgedQueue: () => new AcknowledgedQueue<number>({ capacity: 1, onDeadLetter: () => {} }),
  inBatches: () => inBatches(new JobQueue<number>({ capacity: 1 }), { size: 2 }),
  ConsumerTeam: () => consume(new JobQueue<number>({ capacity: 1 }), () => {}, { consumers: 2 }),
  Supervisor: () => new Supervisor([{ ...live, restart: "transient" }]),
  DynamicSupervisor: () => new DynamicSupervisor(() => sleep(1)),
  PubSub: bus,
  Subscription: () => bus().subscribe("topic"),
  "a handler": () => bus().on("topic", () => {}),
  "a subscription with gaps": () => subscribeWithGaps(bus(), "topic", { overflow: "drop-oldest" }),
  QueueGroup: () => new QueueGroup(bus().subscribe("topic")),
  "a member of a QueueGroup": () => new QueueGroup(bus().subscribe("topic")).join(),
  EventLoop: () => new EventLoop<{ event: number }>(),
  ResourcePool: () => new ResourcePool({ create: () => 1, max: 1, min: 1 }),
};

describe("ended again and again", () => {
  for (const [name, make] of Object.entries(things)) {
    inBothRuntimes(
      `${name} takes it calmly`,
      async () => {
        let ended = 0;
        for (const first of waysToEnd) {
          const thing = make() as Readonly<Record<PropertyKey, (() => unknown) | undefined>>;
          for (const way of [first, ...waysToEnd, ...waysToEnd]) {
            if (thing[way] === undefined) continue;
            await thing[way]();
            ended++;
          }
        }
        expect(ended, "it has an end").toBeGreaterThanOrEqual(2 * waysToEnd.length);
      },
      5,
    );
  }
});
