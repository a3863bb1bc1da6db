/**
 * What is held to the promises. Another implementation, on threads or on other machines, is one more line here: it needs
 * the interface of its kind, from `kinds/`.
 */
import { Channel } from "concurrency-model-patterns/channel";
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
import { SingleFlight } from "concurrency-model-patterns/singleflight";
import { Supervisor } from "concurrency-model-patterns/supervisor";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sharedChannel } from "concurrency-model-patterns/threads/channel";
import { queued, selecting, selects } from "./implementations/channels.ts";
import { fanIns, flows } from "./implementations/flows.ts";
import { mutex, rwLock, semaphore } from "./implementations/locks.ts";
import { oneKey, threeKeys } from "./implementations/resource-pools.ts";
import { runs, stopped } from "./implementations/runs.ts";
import { threadsInHere } from "./implementations/threads.ts";
import { timeLimits, timers } from "./implementations/timers.ts";
import { type BusLike, busSubject } from "./kinds/bus.ts";
import { channelSubject } from "./kinds/channel.ts";
import { flightSubject } from "./kinds/flight.ts";
import { flowSubject } from "./kinds/flow.ts";
import { groupSubject } from "./kinds/group.ts";
import { limiterSubject } from "./kinds/limiter.ts";
import { lockSubject } from "./kinds/lock.ts";
import { loopSubject } from "./kinds/loop.ts";
import { poolSubject } from "./kinds/pool.ts";
import { resourcePoolCrowd, resourcePoolSubject } from "./kinds/resource-pool.ts";
import { runSubject } from "./kinds/run.ts";
import { supervisorSubject } from "./kinds/supervisor.ts";
import type { Subject } from "./subject.ts";

/** Every implementation, as a subject of its kind. */
export const subjects: Readonly<Record<string, Subject>> = {
  Channel: channelSubject((capacity) => new Channel(capacity)),
  "Channel, by select": channelSubject((capacity) => selecting(new Channel(capacity))),
  "SharedChannel, in one thread": channelSubject((capacity) => sharedChannel<number>(capacity), 1),
  "SharedChannel, by select": channelSubject((capacity) => selecting(sharedChannel<number>(capacity)), 1),
  JobQueue: channelSubject(queued),
  select: selects,
  Mutex: lockSubject(mutex),
  Semaphore: lockSubject(semaphore),
  RwLock: lockSubject(rwLock),
  RateLimiter: limiterSubject((perSecond) => {
    const limiter = new RateLimiter({ perSecond, burst: 3 });
    return { limiter, burst: 3, most: (ms) => 3 + (ms / 1000) * perSecond };
  }),
  WorkerPool: poolSubject((work, size) => new WorkerPool((job: number, { ctx }) => work(job, ctx), size)),
  "ThreadPool, its threads in one": threadsInHere,
  ResourcePool: resourcePoolSubject((options) => new ResourcePool(options)),
  "KeyedResourcePool, one key": resourcePoolSubject(oneKey),
  "KeyedResourcePool, three keys": { crowds: { "": () => resourcePoolCrowd(threeKeys) } },
  PubSub: busSubject(() => new PubSub() as unknown as BusLike),
  TaskGroup: groupSubject((size) => new TaskGroup({ ...size, errors: "collect" })),
  SingleFlight: flightSubject(() => new SingleFlight()),
  EventLoop: loopSubject((options) => new EventLoop<{ tick: number }>(options)),
  Supervisor: supervisorSubject(
    () => new Supervisor([], { whenIdle: "stay", intensity: Number.POSITIVE_INFINITY }),
  ),
  pipeline: flowSubject(flows.pipeline),
  "pipeline with concurrency": flowSubject(flows.concurrentPipeline),
  "pipeline with a stage of its own": flowSubject(flows.ownStage),
  fanOut: flowSubject(flows.fanOut),
  "fanOut, ordered": flowSubject(flows.orderedFanOut),
  fanIn: { ...flowSubject(flows.fanIn), ...fanIns },
  "Pool.map": flowSubject(flows.poolMap),
  timeout: { ...runSubject(runs.timeout), ...timeLimits },
  produceConsume: { ...runSubject(runs.produceConsume), ...stopped.produceConsume },
  mapReduce: { ...runSubject(runs.mapReduce), ...stopped.mapReduce },
  "TaskGroup.run": runSubject(runs.taskGroup),
  timers,
};
