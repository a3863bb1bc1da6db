/**
 * Producers fill a bounded queue, and a team of consumers empties it.
 */
import { requireFunction, requireInteger } from "../core/arguments.ts";
import type { CancelOptions } from "../core/cancellation.ts";
import { Deferred } from "../core/deferred.ts";
import { isCancellation, withSuppressed } from "../core/errors.ts";
import { observe, type Resource } from "../core/resource.ts";
import { type BareRuntime, bareRuntime } from "../core/bare-runtime.ts";
import { type Outcome, outcomeOf, spawnTask, valueOf } from "../core/task.ts";
import { type CancelableContext, type Context, withCancel } from "../sync/context.ts";
import type { Received } from "../sync/channel.ts";
import { openSource, pump, type Source } from "../sync/source.ts";
import { TaskGroup } from "../sync/task-group.ts";
import type {
  ConsumeOptions,
  ConsumerContext,
  ConsumerHandler,
  TakenValue,
  UnfinishedValue,
} from "./producer-consumer/handler.ts";
import { JobQueue, type JobQueueOptions } from "./producer-consumer/job-queue.ts";
import type { TakeEnd } from "./producer-consumer/take-end.ts";

export type { DropReason, OverflowPolicy } from "../sync/channel.ts";
export type * from "./producer-consumer/handler.ts";
export { JobQueue, type JobQueueOptions, type QueueProducer } from "./producer-consumer/job-queue.ts";
export type { QueueWaiting, TakeEnd } from "./producer-consumer/take-end.ts";

/**
 * Starts a team of consumers: each takes a value, works on it, and takes the next.
 *
 * @example
 * const queue = new JobQueue<number>({ capacity: 5 });
 * const seen: number[] = [];
 * const team = consume(queue, (n) => void seen.push(n), { consumers: 3 });
 * for (const n of [1, 2, 3]) await queue.put(n);
 * queue.close();
 * await team.wait();
 * seen; //=> [1, 2, 3]
 */
export function consume<T>(
  queue: TakeEnd<T>,
  handler: ConsumerHandler<T>,
  options: ConsumeOptions<T> = {},
): ConsumerTeam<T> {
  return new ConsumerTeam<T>(queue, handler, options);
}

/** Why a consumer stops waiting for a value when its team is paused. Nobody outside ever sees it. */
const pausing = Symbol("paused");

/**
 * Consumers at work, started by {@link consume}.
 *
 * **Guarantees** No value is lost: it is still in the queue, or `processed`, or {@link ConsumerTeam.unfinished}, or was
 * given to `onError`. A value is taken only by a consumer who is free to work on it.
 * **Cancellation** No more is taken, what is in the queue stays there, and handlers are asked to give up.
 * **Errors** A failure that ends the team also closes the queue, as its producers would wait for ever: their puts fail
 * with `ClosedError` with the failure as its cause. A team that is cancelled leaves the queue open for the next.
 *
 * @example
 * const queue = new JobQueue<string>({ capacity: 2 });
 * const team = consume(queue, () => {});
 * await queue.put("job");
 * queue.close();
 * await team.wait();
 * team.processed; //=> 1
 */
export class ConsumerTeam<T> {
  readonly #queue: TakeEnd<T>;
  readonly #handler: ConsumerHandler<T>;
  readonly #onError: ConsumeOptions<T>["onError"];
  readonly #runtime: BareRuntime = bareRuntime();
  readonly #resource: Resource | undefined;
  readonly #scope: CancelableContext;
  /** What takes wait with: ends at a pause, and with the team. */
  #taking: CancelableContext;
  /** What consumers wait for during a pause. */
  #resumed: Deferred<void> | undefined;
  readonly #unfinished: UnfinishedValue<T>[] = [];
  readonly #done: Deferred<void>;
  /** How it ends: well, unless something comes up. The first thing that does is the reason of all that follows. */
  #end: Outcome<void> = { ok: true, value: undefined };
  #consumers: number;
  #processed = 0;
  #failed = 0;
  #active = 0;

  /** @internal */
  constructor(queue: TakeEnd<T>, handler: ConsumerHandler<T>, options: ConsumeOptions<T>) {
    requireFunction("handler", handler);
    if (options.onError !== undefined) requireFunction("onError", options.onError);
    this.#consumers = requireInteger("consumers", options.consumers ?? 1, 1);
    this.#queue = queue;
    this.#handler = handler;
    this.#onError = options.onError;
    this.#scope = withCancel(options);
    this.#taking = withCancel(this.#scope.ctx);
    const { name: group = "consumer" } = options;
    this.#resource = observe(this.#runtime, "team", options.name);
    this.#done = new Deferred<void>(this.#runtime, "join", this.#resource);
    for (let consumer = 1; consumer <= this.#consumers; consumer++) {
      const label = { name: `${group} ${consumer}`, group };
      spawnTask(
        this.#runtime,
        label,
        () => this.#work(consumer),
        (outcome) => this.#left(outcome),
      );
    }
  }

  /** How many values are being worked on. */
  get active(): number {
    return this.#active;
  }

  /** How many values have been worked on to the end. */
  get processed(): number {
    return this.#processed;
  }

  /** How many values failed, whatever became of them. */
  get failed(): number {
    return this.#failed;
  }

  /** Whether it is paused. */
  get paused(): boolean {
    return this.#resumed !== undefined;
  }

  /** What was taken and not worked on to the end when the team was ended: at most one value a consumer. */
  get unfinished(): readonly UnfinishedValue<T>[] {
    return this.#unfinished;
  }

  /**
   * Waits until the queue is closed and all that was in it has been worked on.
   *
   * **Cancellation** Who is cancelled leaves; the team goes on.
   * **Errors** The failure that ended the team, the same object; or the reason for which it was cancelled. What other
   * handlers fail with after that is attached to it.
   */
  wait(options?: CancelOptions): Promise<void> {
    return this.#done.wait(options);
  }

  /** Takes no more until {@link ConsumerTeam.resume}. What was taken before is still worked on. */
  pause(): void {
    if (this.#resumed !== undefined) return;
    this.#resumed = new Deferred<void>(this.#runtime, "resume", this.#resource);
    this.#taking.cancel(pausing);
  }

  /** Ends a pause. */
  resume(): void {
    const resumed = this.#resumed;
    if (resumed === undefined) return;
    this.#resumed = undefined;
    this.#taking = withCancel(this.#scope.ctx);
    resumed.settle({ ok: true, value: undefined });
  }

  /** Asks the team to give up. */
  cancel(cause?: unknown): void {
    this.#scope.cancel(cause);
  }

  /** Cancels and waits until no handler runs, whatever comes of it. After `wait` there is nothing left to do. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await outcomeOf(() => this.wait());
  }

  async #work(consumer: number): Promise<void> {
    const { ctx } = this.#scope;
    for (;;) {
      const taken = await this.#take();
      if (taken.done === true) return;
      this.#active++;
      try {
        await this.#handle(taken.value, { consumer, ctx });
      } finally {
        this.#active--;
      }
    }
  }

  /** The next value, once the team is not paused. A take that is cancelled by a pause has taken nothing. */
  async #take(): Promise<Received<T>> {
    for (;;) {
      await this.#resumed?.wait(this.#scope.ctx);
      const { ctx } = this.#taking;
      const taken = await outcomeOf(() => this.#queue.take(ctx));
      if (taken.ok || taken.error !== pausing) return valueOf(taken);
    }
  }

  async #handle(value: T, consuming: ConsumerContext): Promise<void> {
    const { consumer, ctx } = consuming;
    const handled = await outcomeOf(() => {
      // It may have ended between the grant of the value and this moment.
      if (ctx.error !== undefined) throw ctx.cause;
      return this.#handler(value, consuming);
    });
    if (handled.ok) this.#processed++;
    else await this.#fail(handled.error, { value, consumer });
  }

  /** Returns only if the team goes on. */
  async #fail(error: unknown, failed: TakenValue<T>): Promise<void> {
    this.#failed++;
    const { ctx } = this.#scope;
    let fatal = error;
    if (ctx.error === undefined && this.#onError !== undefined) {
      const told = await outcomeOf(() => this.#onError?.(error, failed));
      if (told.ok) return;
      fatal = told.error;
    }
    this.#unfinished.push({ ...failed, error });
    if (ctx.error === undefined) {
      this.#end = { ok: false, error: fatal };
      this.#scope.cancel(fatal);
      this.#queue.close(fatal);
    }
    throw fatal;
  }

  /** A consumer has ended; with the last one, the team has. */
  #left(outcome: Outcome<void>): void {
    if (this.#end.ok) this.#end = outcome;
    if (--this.#consumers > 0) return;
    this.#scope.cancel();
    this.#done.settle(this.#end.ok ? this.#end : { ok: false, error: this.#withOthers(this.#end.error) });
  }

  /** That a handler only gave up, as it was asked to, is no failure of its own. */
  #withOthers(error: unknown): unknown {
    const others = this.#unfinished.map((failure) => failure.error);
    return withSuppressed(
      error,
      others.filter((other) => !isCancellation(other)),
    );
  }
}

/** How producers and consumers run. */
export interface ProduceConsumeOptions<T> extends JobQueueOptions<T>, ConsumeOptions<T> {}

/**
 * Runs a producer for every source and a team of consumers over one queue, and returns when all has been consumed.
 *
 * **Guarantees** The queue closes when every source has ended, not before. A source is asked for its next value only
 * when its last one is in the queue. When this returns, no task is left.
 * **Cancellation** When `signal` aborts, all stop, and this rejects with its reason. What is in the queue is given up;
 * where that matters, use a {@link JobQueue} and {@link consume}.
 * **Errors** The first failure of a source or, without `onError`, of the handler. All others are stopped; what they fail
 * with on their way out is attached to the first.
 *
 * @example
 * let sum = 0;
 * const add = (n: number): void => void (sum += n);
 * await produceConsume([[1, 2, 3], [10, 20]], add, { capacity: 5, consumers: 3 });
 * sum; //=> 36
 */
export async function produceConsume<T>(
  sources: Iterable<Source<T>>,
  handler: ConsumerHandler<T>,
  options: ProduceConsumeOptions<T>,
): Promise<void> {
  const queue = new JobQueue<T>(options);
  const run = async (group: TaskGroup): Promise<void> => {
    // Counted from before the first source to after the last: the queue stays open as long, and closes without any.
    const opener = queue.producer();
    let number = 0;
    for (const source of sources) {
      const producer = queue.producer();
      const out = { send: (value: T, options?: CancelOptions) => producer.put(value, options) };
      const produce = async (ctx: Context): Promise<void> => {
        await pump(openSource(source, ctx), out, ctx);
        producer.close();
      };
      group.go(produce, { name: `producer ${++number}` });
    }
    opener.close();
    const end: TakeEnd<T> = {
      take: (how) => queue.take(how),
      tryTake: () => queue.tryTake(),
      // A failure of the team: producers are given up for that very reason, and none reports a closed queue instead.
      close: (cause) => group.cancel(cause),
    };
    await consume(end, handler, { ...options, name: undefined, signal: group.ctx.signal }).wait();
  };
  await TaskGroup.run(run, { name: options.name, signal: options.signal });
}
