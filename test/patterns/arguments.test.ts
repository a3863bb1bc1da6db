/** Every option of the patterns that is a number, with what is none: refused at the call, and by name. */
import { EventLoop } from "concurrency-model-patterns/event-loop";
import { ask, type RequestMessage as Question } from "concurrency-model-patterns/event-loop/ask";
import { ticks } from "concurrency-model-patterns/event-loop/ticks";
import { LoopWatch } from "concurrency-model-patterns/event-loop/watch";
import { fanIn, fanOut } from "concurrency-model-patterns/fan";
import { broadcast } from "concurrency-model-patterns/fan/broadcast";
import { fanOutBy } from "concurrency-model-patterns/fan/by-key";
import { mapReduce } from "concurrency-model-patterns/mapreduce";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { batch } from "concurrency-model-patterns/pipeline/batch";
import { WorkerPool } from "concurrency-model-patterns/pools";
import { consume, JobQueue } from "concurrency-model-patterns/producer-consumer";
import { AcknowledgedQueue } from "concurrency-model-patterns/producer-consumer/acknowledged-queue";
import { inBatches } from "concurrency-model-patterns/producer-consumer/batches";
import { DedupeWindow } from "concurrency-model-patterns/producer-consumer/dedupe-window";
import { OrderedQueue } from "concurrency-model-patterns/producer-consumer/ordered-queue";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { request, type RequestMessage } from "concurrency-model-patterns/pubsub/request";
import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { FixedWindowLimiter } from "concurrency-model-patterns/rate-limiting/fixed-window";
import { GcraLimiter } from "concurrency-model-patterns/rate-limiting/gcra";
import { KeyedLimiters } from "concurrency-model-patterns/rate-limiting/keyed";
import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
import { LeakDetector } from "concurrency-model-patterns/resource-pooling/leak-detector";
import { exponentialDelay } from "concurrency-model-patterns/schedule";
import { LoadingCache } from "concurrency-model-patterns/singleflight/loading-cache";
import { type ChildSpec, Supervisor } from "concurrency-model-patterns/supervisor";
import { DynamicSupervisor } from "concurrency-model-patterns/supervisor/dynamic";
import { timeout } from "concurrency-model-patterns/timeout-cancellation";
import { Bulkhead } from "concurrency-model-patterns/timeout-cancellation/bulkhead";
import { CircuitBreaker } from "concurrency-model-patterns/timeout-cancellation/circuit-breaker";
import { hedge } from "concurrency-model-patterns/timeout-cancellation/hedge";
import { idleTimeout } from "concurrency-model-patterns/timeout-cancellation/idle-timeout";
import { quorum } from "concurrency-model-patterns/timeout-cancellation/quorum";
import { retry, RetryBudget } from "concurrency-model-patterns/timeout-cancellation/retry";
import { describe, expect, test } from "vitest";

/** What makes or calls something with the wrong number; its key ends with the name of the option. */
type Makes = Readonly<Record<string, (v: never) => unknown>>;

const one = (): number => 1;
const nothing = (): void => {};
const jobs = { map: nothing, reduce: one };
const bus = new PubSub<{ topic: RequestMessage<number, number> }>();
const pool = new WorkerPool(one, { workers: 1 });
const loop = new EventLoop<{ event: Question<number, number> }>();
const limiter = new RateLimiter({ perSecond: 1, burst: 1 });
const queue = new JobQueue<number>({ capacity: 1 });
const ordered = new OrderedQueue<number>({ capacity: 1 });
const resources = { create: one, max: 3 };
const held = { capacity: 1, onDeadLetter: nothing };
const supervised = (child: Partial<ChildSpec>): Supervisor =>
  new Supervisor([{ id: "child", start: nothing, ...child }]);

/** Whole numbers of at least 0 or 1; some may be Infinity. */
const counts: Makes = {
  "pipeline capacity": (v) => pipeline([1], { capacity: v }),
  "map concurrency": (v) => pipeline([1]).map(one, { concurrency: v }),
  "map capacity": (v) => pipeline([1]).map(one, { capacity: v }),
  "fanOut workers": (v) => fanOut([1], one, { workers: v }),
  "fanIn capacity": (v) => fanIn([[1]], { capacity: v }),
  "fanOutBy workers": (v) => fanOutBy([1], one, one, { workers: v }),
  "fanOutBy laneCapacity": (v) => fanOutBy([1], one, one, { workers: 1, laneCapacity: v }),
  "broadcast readers": (v) => broadcast([1], v as number),
  "broadcast capacity": (v) => broadcast([1], 1, { capacity: v }),
  "WorkerPool workers": (v) => new WorkerPool(one, { workers: v }),
  "WorkerPool capacity": (v) => new WorkerPool(one, { workers: 1, capacity: v }),
  "WorkerPool maxWaiting": (v) => new WorkerPool(one, { workers: 1, maxWaiting: v }),
  "resize workers": (v) => pool.resize(v),
  "JobQueue capacity": (v) => new JobQueue({ capacity: v }),
  "consume consumers": (v) => consume(queue, nothing, { consumers: v }),
  "inBatches size": (v) => inBatches(queue, { size: v }),
  "OrderedQueue capacity": (v) => new OrderedQueue({ capacity: v }),
  "AcknowledgedQueue capacity": (v) => new AcknowledgedQueue({ ...held, capacity: v }),
  "AcknowledgedQueue attempts": (v) => new AcknowledgedQueue({ ...held, attempts: v }),
  "DedupeWindow capacity": (v) => new DedupeWindow({ windowMs: 1, capacity: v }),
  "Supervisor intensity": (v) => new Supervisor([], { intensity: v }),
  "DynamicSupervisor capacity": (v) => new DynamicSupervisor(nothing, { capacity: v }),
  "subscribe capacity": (v) => bus.subscribe("topic", { capacity: v }),
  "on capacity": (v) => bus.on("topic", nothing, { capacity: v }),
  "retry attempts": (v) => retry(one, { attempts: v }),
  "hedge attempts": (v) => hedge(one, { afterMs: 1, attempts: v }),
  "CircuitBreaker consecutive": (v) => new CircuitBreaker({ consecutive: v }),
  "Bulkhead concurrency": (v) => new Bulkhead({ concurrency: v }),
  "Bulkhead capacity": (v) => new Bulkhead({ concurrency: 1, capacity: v }),
  "quorum needed": (v) => quorum(v, [one]),
  "RateLimiter burst": (v) => new RateLimiter({ perSecond: 1, burst: v }),
  "GcraLimiter burst": (v) => new GcraLimiter({ perSecond: 1, burst: v }),
  "FixedWindowLimiter limit": (v) => new FixedWindowLimiter({ limit: v, windowMs: 10 }),
  "KeyedLimiters capacity": (v) => new KeyedLimiters(() => limiter, { capacity: v }),
  "wait n": (v) => limiter.wait(v),
  "reserve n": (v) => limiter.reserve(v),
  "mapReduce mappers": (v) => mapReduce([1], jobs, { mappers: v }),
  "mapReduce reducers": (v) => mapReduce([1], jobs, { reducers: v }),
  "LoadingCache capacity": (v) => new LoadingCache(one, { ttlMs: 1, capacity: v }),
  "EventLoop capacity": (v) => new EventLoop({ capacity: v }),
  "EventLoop sliceEvents": (v) => new EventLoop({ sliceEvents: v }),
  "source weight": (v) => loop.source("event", [], { weight: v }),
  "ResourcePool max": (v) => new ResourcePool({ create: one, max: v }),
  "ResourcePool min": (v) => new ResourcePool({ ...resources, min: v }),
  "ResourcePool capacity": (v) => new ResourcePool({ ...resources, capacity: v }),
  "ResourcePool maxUses": (v) => new ResourcePool({ ...resources, maxUses: v }),
};

/** Whole numbers, also below 0. */
const priorities: Makes = {
  "run priority": (v) => pool.run(1, { priority: v }),
  "put priority": (v) => ordered.put(1, { priority: v }),
  "source priority": (v) => loop.source("event", [], { priority: v }),
};

/** Spans and instants; some must be above 0. */
const times: Makes = {
  "batch withinMs": (v) => batch({ size: 1, withinMs: v }),
  "run timeoutMs": (v) => pool.run(1, { timeoutMs: v }),
  "run queueTimeoutMs": (v) => pool.run(1, { queueTimeoutMs: v }),
  "put delayMs": (v) => ordered.put(1, { delayMs: v }),
  "inBatches withinMs": (v) => inBatches(queue, { size: 2, withinMs: v }),
  "AcknowledgedQueue visibilityMs": (v) => new AcknowledgedQueue({ ...held, visibilityMs: v }),
  "AcknowledgedQueue delayMs": (v) => new AcknowledgedQueue({ ...held, delayMs: v }),
  "DedupeWindow windowMs": (v) => new DedupeWindow({ windowMs: v }),
  "Supervisor periodMs": (v) => new Supervisor([], { periodMs: v }),
  "Supervisor restartDelayMs": (v) => new Supervisor([], { restartDelayMs: v }),
  "Supervisor healthyAfterMs": (v) => new Supervisor([], { healthyAfterMs: v }),
  "a child's shutdownMs": (v) => supervised({ shutdownMs: v }),
  "a child's readyWithinMs": (v) => supervised({ readyWithinMs: v }),
  "a child's watchdogMs": (v) => supervised({ watchdogMs: v }),
  "request timeoutMs": (v) => request(bus, "topic", 1, { timeoutMs: v }),
  "timeout timeoutMs": (v) => timeout(one, { timeoutMs: v }),
  "timeout graceMs": (v) => timeout(one, { timeoutMs: 1, graceMs: v }),
  "retry attemptMs": (v) => retry(one, { attemptMs: v }),
  "retry deadlineMs": (v) => retry(one, { deadlineMs: v }),
  "CircuitBreaker openMs": (v) => new CircuitBreaker({ openMs: v }),
  "hedge afterMs": (v) => hedge(one, { afterMs: v }),
  "idleTimeout idleMs": (v) => idleTimeout([1], v),
  "exponentialDelay firstMs": (v) => exponentialDelay({ firstMs: v }),
  "exponentialDelay maxMs": (v) => exponentialDelay({ maxMs: v }),
  "FixedWindowLimiter windowMs": (v) => new FixedWindowLimiter({ limit: 1, windowMs: v }),
  "reserve maxDelayMs": (v) => limiter.reserve(1, { maxDelayMs: v }),
  "wait deadlineMs": (v) => limiter.wait(1, { deadlineMs: v }),
  "LoadingCache ttlMs": (v) => new LoadingCache(one, { ttlMs: v }),
  "EventLoop sliceMs": (v) => new EventLoop({ sliceMs: v }),
  "ask timeoutMs": (v) => ask(loop, "event", 1, { timeoutMs: v }),
  "ticks intervalMs": (v) => ticks(v),
  "LoopWatch slowMs": (v) => new LoopWatch({ slowMs: v, onSlow: nothing }),
  "LoopWatch lagMs": (v) => new LoopWatch({ lagMs: v, onSlow: nothing }),
  "ResourcePool acquireTimeoutMs": (v) => new ResourcePool({ ...resources, acquireTimeoutMs: v }),
  "ResourcePool createTimeoutMs": (v) => new ResourcePool({ ...resources, createTimeoutMs: v }),
  "ResourcePool idleTimeoutMs": (v) => new ResourcePool({ ...resources, idleTimeoutMs: v }),
  "ResourcePool maxLifetimeMs": (v) => new ResourcePool({ ...resources, maxLifetimeMs: v }),
  "drain forceAfterMs": (v) => new ResourcePool(resources).drain({ forceAfterMs: v }),
  "LeakDetector leakAfterMs": (v) => new LeakDetector({ leakAfterMs: v, onLeak: nothing }),
};

/** Rates and shares. */
const amounts: Makes = {
  "batch size": (v) => batch({ size: v }),
  "RetryBudget share": (v) => new RetryBudget({ share: v }),
  "RateLimiter perSecond": (v) => new RateLimiter({ perSecond: v, burst: 1 }),
  "GcraLimiter perSecond": (v) => new GcraLimiter({ perSecond: v, burst: 1 }),
  "ResourcePool lifetimeJitter": (v) => new ResourcePool({ ...resources, lifetimeJitter: v }),
};

const never = [Number.NaN, "3", 3n, {}, [5], true];
const tables: Readonly<Record<string, readonly [makes: Makes, wrong: readonly unknown[]]>> = {
  "a count": [counts, [...never, -1, 1.5, Number.NEGATIVE_INFINITY, 2 ** 53]],
  "a priority": [priorities, [...never, 1.5, Number.POSITIVE_INFINITY, 2 ** 53]],
  "a time": [times, never],
  "an amount": [amounts, [...never, -1, Number.NEGATIVE_INFINITY]],
};

describe.each(Object.entries(tables))("what is not %s", (_, [makes, wrong]) => {
  test.each(Object.entries(makes))("%s", (name, make) => {
    const option = name.split(" ").at(-1);
    for (const value of wrong) expect(() => make(value as never)).toThrow(`${option} must be`);
  });
});
