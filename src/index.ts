/**
 * Everything but `testing` at once, for those who prefer one import. Each module can be imported by its own name too, and
 * then costs only itself.
 */
export * from "./core/errors.ts";
export * from "./patterns/event-loop.ts";
export * from "./patterns/fan.ts";
export * from "./patterns/mapreduce.ts";
export * from "./patterns/pipeline.ts";
export * from "./patterns/pools.ts";
export * from "./patterns/producer-consumer.ts";
export * from "./patterns/producer-consumer/acknowledged-queue.ts";
export * from "./patterns/producer-consumer/batches.ts";
export * from "./patterns/producer-consumer/dedupe-window.ts";
export * from "./patterns/producer-consumer/ordered-queue.ts";
export * from "./patterns/pubsub.ts";
export * from "./patterns/rate-limiting.ts";
export * from "./patterns/resource-pooling.ts";
export * from "./patterns/singleflight.ts";
export * from "./patterns/supervisor.ts";
export * from "./patterns/supervisor/dynamic.ts";
export * from "./patterns/timeout-cancellation.ts";
export * from "./patterns/timeout-cancellation/bulkhead.ts";
export * from "./patterns/timeout-cancellation/circuit-breaker.ts";
export * from "./patterns/timeout-cancellation/hedge.ts";
export * from "./patterns/timeout-cancellation/idle-timeout.ts";
export * from "./patterns/timeout-cancellation/quorum.ts";
export * from "./patterns/timeout-cancellation/retry.ts";
export * from "./sync/barrier.ts";
export * from "./sync/channel.ts";
export * from "./sync/cond.ts";
export * from "./sync/context.ts";
export * from "./sync/counted-sender.ts";
export * from "./sync/flow.ts";
export * from "./sync/mutex.ts";
export * from "./sync/once.ts";
export * from "./sync/rw-lock.ts";
export * from "./sync/receive-many.ts";
export * from "./sync/select.ts";
export * from "./sync/semaphore.ts";
export * from "./sync/task-group.ts";
export * from "./sync/timers.ts";
export * from "./sync/wait-group.ts";
