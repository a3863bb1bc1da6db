/** Bugs in the other ten patterns and what surrounds them. See `scripts/test-planted.mjs`. */
export const patterns = [
  // pipeline and fan
  [
    "a stage is ahead of the next by one more than was said",
    "sync/flow/passage.ts",
    "if (this.#values.size > this.#capacity)",
    "if (this.#values.size > this.#capacity + 1)",
  ],
  [
    "a value that is there is not given to a stage that waits for one",
    "sync/flow/passage.ts",
    "const receiver = this.#receivers.size > 0 ? this.#receivers.shift() : undefined;",
    "const receiver = this.#receivers.size > 1 ? this.#receivers.shift() : undefined;",
  ],
  [
    "the last stage that waits for room is forgotten",
    "sync/flow/passage.ts",
    "if (waiting > 1 || (waiting === 1 && this.#values.size <= this.#resumeAt))",
    "if (waiting > 1)",
  ],
  [
    "who waits between two stages is not told that all is given up",
    "sync/flow/passage.ts",
    "while (this.#senders.size > 0) this.#refuse(this.#senders.shift(), reason);",
    "",
  ],
  [
    "a pipeline that ends leaves the stages before the last one running",
    "patterns/pipeline.ts",
    "outcomeOf(() => input[Symbol.asyncDispose]())",
    "outcomeOf(() => {})",
  ],
  [
    "a stage gives its results in any order, if it is not told otherwise",
    "patterns/pipeline.ts",
    "options.ordered ?? true",
    "options.ordered ?? false",
  ],
  [
    "merging ends with the first of the streams",
    "patterns/fan.ts",
    "for (const fed of feeds) await fed.join(ctx);",
    "await feeds[0]?.join(ctx);",
  ],
  [
    "the workers of a fan are not told that the source has ended",
    "sync/parallel-map/reading-task.ts",
    "    read.close();\n",
    "",
  ],
  // pools
  [
    "a pool holds one job more than it has room for",
    "patterns/pools/dispatch.ts",
    "this.#active + this.queue.size < this.#workers + this.#capacity",
    "this.#active + this.queue.size <= this.#workers + this.#capacity",
  ],
  [
    "the place of a job that was given up stays empty",
    "patterns/pools.ts",
    "withdrawn: () => this.#dispatch.admit()",
    "withdrawn: () => {}",
  ],
  [
    "nobody hears why a worker could not be set up",
    "patterns/pools/staff.ts",
    "if (!wasToldTo) this.#errors.push(error);",
    "",
  ],
  ["the context of a job goes on when the job is over", "patterns/pools/job.ts", "this.scope?.cancel();", ""],
  [
    "an errand is not told that its job is given up",
    "patterns/pools/job.ts",
    "errand?.onCancel(reason);",
    "void errand;",
  ],
  [
    "an errand tells twice how it ended",
    "patterns/pools/errand.ts",
    "this.sender = undefined;\n    this.queue",
    "this.queue",
  ],
  [
    "a job that is given up far from its turn is told when its row has it",
    "patterns/pools/job.ts",
    "this.refusal = { reason: outcome };\n      this.#begin();",
    "this.refusal = { reason: outcome };",
  ],
  // producers and consumers
  [
    "a value whose handler failed counts as being worked on for ever",
    "patterns/producer-consumer.ts",
    "} finally {\n        this.#active--;\n      }",
    "} finally {\n      }\n      this.#active--;",
  ],
  [
    "producers wait on for consumers that have failed",
    "patterns/producer-consumer.ts",
    "this.#queue.close(fatal);",
    "",
  ],
  [
    "the value that a failed consumer had taken is lost",
    "patterns/producer-consumer.ts",
    "this.#unfinished.push({ ...failed, error });",
    "",
  ],
  [
    "a queue that was emptied before it is closed is never drained",
    "patterns/producer-consumer/job-queue.ts",
    "    this.#channel.close();\n    this.#noticeEmpty();",
    "    this.#channel.close();",
  ],
  // supervisor
  [
    "a supervisor gives up one restart too early",
    "patterns/supervisor/restart-intensity.ts",
    "this.#history.length > this.#intensity",
    "this.#history.length >= this.#intensity",
  ],
  [
    "restarts of long ago are counted, too",
    "patterns/supervisor/restart-intensity.ts",
    "const recent = this.#history.filter(({ atMs }) => atMs >= reason.atMs - this.#periodMs);",
    "const recent = this.#history;",
  ],
  [
    "the pause before a restart stays long after a healthy life",
    "patterns/supervisor/overseer.ts",
    "livedMs >= options.healthyAfterMs ? NO_STREAK : member.streak",
    "livedMs < 0 ? NO_STREAK : member.streak",
  ],
  [
    "a restart takes along those before it instead of those behind it",
    "patterns/supervisor/overseer.ts",
    "all.slice(all.indexOf(member))",
    "all.slice(0, all.indexOf(member) + 1)",
  ],
  [
    "children are stopped in the order in which they were started",
    "patterns/supervisor/crew.ts",
    "members.toReversed()",
    "members",
  ],
  [
    "the watchdog of a child that has ended still barks",
    "patterns/supervisor/life.ts",
    "this.#watchdog?.stop();\n    this.#endedAtMs",
    "this.#endedAtMs",
  ],
  [
    "a supervisor takes one child more than its capacity",
    "patterns/supervisor/overseer.ts",
    "roster.size >= capacity",
    "roster.size > capacity",
  ],
  // pubsub
  [
    "a subscriber who has left still hangs on its signal",
    "patterns/pubsub/subscription.ts",
    "this.#link?.release();",
    "",
  ],
  [
    "a publisher who gave up is delivered nevertheless",
    "patterns/pubsub/publish-waiter.ts",
    "for (const delivery of this.#deliveries) delivery.withdraw();",
    "",
  ],
  [
    "publishing without waiting reaches some and not the others",
    "patterns/pubsub/directory.ts",
    "for (const { full } of this.#members) if (full) return true;",
    "if ([...this.#members].every(({ full }) => full) && this.#members.size > 0) return true;",
  ],
  [
    "what a handler throws is swallowed",
    "patterns/pubsub/handling.ts",
    "(error: unknown) => tell(error, message, onError)",
    "() => {}",
  ],
  // mapreduce
  [
    "what a map emits that may fail is not counted",
    "patterns/mapreduce/groups.ts",
    "this.#emitted += other.#emitted;",
    "",
  ],
  [
    "a value that is emitted too late is counted or not, as it comes",
    "patterns/mapreduce.ts",
    'if (!open) throw new MisuseError("emit after its map has ended");',
    "",
  ],
  [
    "reducing goes on when the run was given up",
    "patterns/mapreduce.ts",
    "if (isCancelled(ctx)) throw ctx.cause;",
    "",
  ],
  // singleflight
  [
    "a flight that was forgotten ends the one that came after it",
    "patterns/singleflight/flights.ts",
    "if (this.#flights.get(key) === flight) this.#flights.delete(key);",
    "this.#flights.delete(key);",
  ],
  [
    "the first caller who leaves ends the flight for all",
    "patterns/singleflight/flights.ts",
    "if (callers.size === 0) this.#abandon",
    "if (callers.size >= 0) this.#abandon",
  ],
  // event loop
  [
    "a handler for one event is called for each",
    "patterns/event-loop/handlers.ts",
    "if (entry.once) this.#remove(kind, entry);",
    "",
  ],
  [
    "an error in dealing with an error hides it",
    "patterns/event-loop/handlers.ts",
    "[dealt.error, error]",
    "[dealt.error]",
  ],
  [
    "an event that was on its way when the loop was stopped is lost",
    "patterns/event-loop/source-lane.ts",
    "if (!given.ok) lost(next);",
    "",
  ],
  [
    "a source that is added to a loop that waits is not listened to",
    "patterns/event-loop/lanes.ts",
    "    this.#changed.trySend();\n",
    "",
  ],
  // resource pooling
  [
    "a resource can be given back twice",
    "patterns/resource-pooling/lease.ts",
    "    this.#loan = undefined;\n",
    "",
  ],
  [
    "the timer of an acquire goes on when that is over",
    "patterns/resource-pooling/lease.ts",
    "super.leave();\n    this.timer?.cancel();",
    "super.leave();",
  ],
  [
    "a failed use keeps the resource",
    "patterns/resource-pooling/lease.ts",
    "  try {\n    return await work(lease.value, lease);\n  } finally {\n    lease.release();\n  }",
    "  const value = await work(lease.value, lease);\n  lease.release();\n  return value;",
  ],
  [
    "a closed pool keeps what is idle",
    "patterns/resource-pooling/stock.ts",
    "while (this.#idle.size > 0) this.#destroy(this.#idle.shift());",
    "",
  ],
  [
    "a resource that could not be made keeps its place",
    "patterns/resource-pooling/stock.ts",
    "gone: () => this.#size--,",
    "gone: () => {},",
  ],
];
