/** Bugs in what surrounds the patterns: the modules that are imported apart. See `scripts/test-planted.mjs`. */
export const extras = [
  // streams
  [
    "a value that fits exactly is left for the next batch",
    "patterns/pipeline/batch.ts",
    "if (weight > this.#size) return next.value;",
    "if (weight >= this.#size) return next.value;",
  ],
  [
    "batches hide that their input has failed",
    "patterns/pipeline/batch.ts",
    "values.close(read.ok ? undefined : read.error);",
    "values.close();",
  ],
  [
    "equal values of sorted streams come in any order",
    "patterns/fan/merge.ts",
    "compare(left.value, right.value) || left.index - right.index",
    "compare(left.value, right.value)",
  ],
  [
    "the first of several readers who leaves ends the source for all",
    "patterns/fan/broadcast.ts",
    "if (this.#readers.size > 0) return;",
    "",
  ],
  [
    "a reader who has left holds up the others",
    "patterns/fan/broadcast.ts",
    "if (!channel.closed) channel.close();",
    "",
  ],
  ["some keys have no worker", "patterns/fan/by-key.ts", "return hash >>> 0;", "return hash;"],
  [
    "a result overtakes an earlier one that is not handed over yet",
    "sync/parallel-map/ordered-outlet.ts",
    "if (number !== this.#now) return",
    "if (number > this.#now + 1) return",
  ],
  [
    "a worker whose turn never comes is not told that all is given up",
    "sync/parallel-map/turnstile.ts",
    "    if (cancelled !== undefined) return cancelled;\n",
    "",
  ],
  [
    "an error in judging a failure hides the failure",
    "sync/parallel-map/on-error.ts",
    "withSuppressed(asked.error, [error])",
    "asked.error",
  ],
  // pools, producers and consumers
  [
    "a pool that was made smaller keeps its workers",
    "patterns/pools/dispatch.ts",
    "if (this.#staff > this.#workers) return this.#dismiss(worker);",
    "",
  ],
  [
    "a job that is being worked on still times out as one that waits",
    "patterns/pools/job.ts",
    "assigned(): void {\n    this.timer?.cancel();",
    "assigned(): void {",
  ],
  [
    "those who are not urgent wait for ever",
    "core/priority-line.ts",
    "this.#turns = (this.#turns + 1) % PATIENCE;",
    "this.#turns = 1;",
  ],
  [
    "a value is tried once more than is allowed",
    "patterns/producer-consumer/acknowledged-queue.ts",
    "letter.attempts >= this.#attempts",
    "letter.attempts > this.#attempts",
  ],
  [
    "a delayed value that was cleared comes nevertheless",
    "patterns/producer-consumer/stock.ts",
    "      timer.cancel();\n      cleared.push",
    "      cleared.push",
  ],
  [
    "an id is remembered for an instant longer than its window",
    "patterns/producer-consumer/dedupe-window.ts",
    "if (addedMs > oldestMs) return;",
    "if (addedMs >= oldestMs) return;",
  ],
  [
    "a lane that was served stays in front of the others",
    "patterns/producer-consumer/fair-line.ts",
    "      this.#lanes.delete(key);\n      this.#lanes.set(key, lane);",
    "      this.#lanes.set(key, lane);",
  ],
  // publish and subscribe
  [
    "a topic that somebody left is a topic that nobody hears",
    "patterns/pubsub/directory.ts",
    "if (there === member || (there instanceof Members && there.remove(member))) this.#topics.delete(on);",
    "if (there === member || there instanceof Members) this.#topics.delete(on);",
  ],
  [
    "one message more is kept for those who come late",
    "patterns/pubsub/replay.ts",
    "if (this.#kept.size === this.#last) this.#kept.shift();",
    "if (this.#kept.size > this.#last) this.#kept.shift();",
  ],
  [
    "a member that has left its group stands on in the count",
    "patterns/pubsub/queue-group.ts",
    "    this.#gone();\n",
    "",
  ],
  [
    "an answer that nobody waits for any more is said to have arrived",
    "patterns/pubsub/request.ts",
    "if (enough.outcome !== undefined) return false;",
    "",
  ],
  // singleflight
  [
    "a cache keeps one value more than it may",
    "patterns/singleflight/loading-cache.ts",
    "if (this.#entries.size <= this.#capacity) return;",
    "if (this.#entries.size <= this.#capacity + 1) return;",
  ],
  [
    "a cache drops what was loaded first, and not what was not used for longest",
    "patterns/singleflight/loading-cache.ts",
    "this.#entries.delete(key);\n    this.#entries.set(key, entry);",
    "",
  ],
  [
    "a value that was deleted while it was loaded is kept",
    "patterns/singleflight/loading-cache.ts",
    "if (this.#loading.get(key) === mark) {",
    "if (mark !== undefined) {",
  ],
  // event loop
  [
    "who has asked and got an answer still listens for the end of the loop",
    "patterns/event-loop/ask.ts",
    "    link?.release();\n    cancel();",
    "    cancel();",
  ],
  [
    "ticks come later and later",
    "patterns/event-loop/ticks.ts",
    "dueMs += (missed + 1) * intervalMs;",
    "dueMs = now() + intervalMs;",
  ],
  [
    "events of a low priority wait for ever",
    "patterns/event-loop/turns.ts",
    "passedOver >= PATIENCE",
    "passedOver < 0",
  ],
  [
    "who steps a loop is not told that it has ended",
    "patterns/event-loop/gate.ts",
    "for (let step = this.#steps.first; step !== undefined; step = this.#steps.first) step.grant(false);",
    "",
  ],
  [
    "the timer of an event goes on when that was handled",
    "patterns/event-loop/watch.ts",
    "      timer.cancel();\n",
    "",
  ],
  // resource pooling
  [
    "a pool whose resources have no lifetime never asks how often one was lent",
    "patterns/resource-pooling/wear.ts",
    "Math.min(limits.maxUses, limits.maxLifetimeMs)",
    "limits.maxLifetimeMs",
  ],
  [
    "a pool whose resources may be lent for ever never asks how old one is",
    "patterns/resource-pooling/wear.ts",
    "Math.min(limits.maxUses, limits.maxLifetimeMs)",
    "limits.maxUses",
  ],
  [
    "a resource is lent once more than it may",
    "patterns/resource-pooling/wear.ts",
    "uses >= this.#limits.maxUses",
    "uses > this.#limits.maxUses",
  ],
  [
    "idle resources go although they are to be kept",
    "patterns/resource-pooling/idle-shelf.ts",
    "oldest !== undefined && this.#owner.maySpare()",
    "oldest !== undefined",
  ],
  [
    "pools that share their places count what has gone as being there",
    "patterns/resource-pooling/shared-places.ts",
    "this.#size += sign * size;",
    "this.#size += Math.max(0, sign) * size;",
  ],
  [
    "a success does not end the row of failures that makes pauses longer",
    "patterns/resource-pooling/backoff.ts",
    "    this.#failures = 0;\n    this.#pauseMs = 0;\n",
    "",
  ],
  [
    "a lease that was given back is reported as a leak",
    "patterns/resource-pooling/loans.ts",
    "    watched?.end();\n",
    "",
  ],
  [
    "a leak is reported again and again, in a loop without end",
    "patterns/resource-pooling/leak-detector.ts",
    "      this.#held.remove(lease);\n      this.#report",
    "      this.#report",
  ],
  [
    "a batch gives every caller the value of its first key",
    "patterns/singleflight/batching.ts",
    "(values[index] as V | Error)",
    "(values[0] as V | Error)",
  ],
  [
    "a batch that has begun goes on when nobody waits for it",
    "patterns/singleflight/batching.ts",
    "    batch.scope.cancel();\n",
    "",
  ],
  [
    "a batch asks for a key for which nobody waits any more",
    "patterns/singleflight/batching.ts",
    "    batch.answers.delete(key);\n",
    "",
  ],
  [
    "a client is told to come back too early",
    "patterns/rate-limiting/headers.ts",
    "Math.ceil(ms / 1000)",
    "Math.floor(ms / 1000)",
  ],
];
