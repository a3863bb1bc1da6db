/**
 * Asks over a bus: a request is a message that can be answered.
 */
import { requireDuration, requireFunction } from "../../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { ConcurrencyError } from "../../core/errors.ts";
import { currentRuntime } from "../../core/runtime.ts";
import { type Outcome, outcomeOf, valueOf } from "../../core/task.ts";
import { type Context, withTimeout } from "../../sync/context.ts";
import type { PubSub, Topic } from "./bus.ts";

/** How long to wait for an answer. */
export interface RequestOptions extends CancelOptions {
  /** Milliseconds until it fails with a `TimeoutError`; `Infinity` to wait for ever. */
  readonly timeoutMs: number;
}

/** The topics of `M` on which something can be asked. */
export type RequestTopic<M> = {
  [K in Topic<M>]: M[K] extends Request<infer _Body, infer _Answer> ? K : never;
}[Topic<M>];

/** What is asked with a {@link Request}. */
export type BodyOf<R> = R extends Request<infer Body, infer _> ? Body : never;

/** What a {@link Request} is answered with. */
export type AnswerOf<R> = R extends Request<infer _, infer Answer> ? Answer : never;

/**
 * A message that can be answered. Any subscriber may; {@link answering} makes a handler that does.
 *
 * @example
 * const bus = new PubSub<{ double: Request<number, number> }>();
 * bus.on("double", (asked) => void asked.reply(asked.body * 2));
 * await request(bus, "double", 21, { timeoutMs: 1000 }); //=> 42
 */
export class Request<Body, Answer> {
  /** What is asked. */
  readonly body: Body;
  /** Ends when nobody waits for an answer any more. */
  readonly ctx: Context;
  readonly #answered: (outcome: Outcome<Answer>) => boolean;

  /** @internal */
  constructor(body: Body, ctx: Context, answered: (outcome: Outcome<Answer>) => boolean) {
    this.body = body;
    this.ctx = ctx;
    this.#answered = answered;
  }

  /** Answers, and says whether anybody still waited for that. */
  reply(answer: Answer): boolean {
    return this.#settle({ ok: true, value: answer });
  }

  /** Answers with a failure, which the asker gets unchanged, and says whether anybody still waited for that. */
  fail(error: unknown): boolean {
    return this.#settle({ ok: false, error });
  }

  #settle(outcome: Outcome<Answer>): boolean {
    return this.ctx.error === undefined && this.#answered(outcome);
  }
}

/**
 * Nobody took the request.
 *
 * @example
 * const bus = new PubSub<{ double: Request<number, number> }>();
 * const failure: unknown = await request(bus, "double", 1, { timeoutMs: 1000 }).catch((error: unknown) => error);
 * (failure as NoRespondersError).code; //=> "NO_RESPONDERS"
 */
export class NoRespondersError extends ConcurrencyError {
  constructor(topic: string) {
    super("NO_RESPONDERS", `nobody takes requests on ${JSON.stringify(topic)}`);
    this.name = "NoRespondersError";
  }
}

/**
 * Publishes a request, and waits for its first answer.
 *
 * **Guarantees** The first to answer decides, also with a failure. The context of the request has ended when this settles,
 * and it is withdrawn from those who have not taken it.
 * **Cancellation** Rejects with the signal's reason.
 * **Errors** `NoRespondersError` at once if nobody takes it; `TimeoutError` if nobody answers in time, as when who took it
 * has left; `ClosedError` if the bus is closed; else what the answer failed with.
 * **Cost** That of a publish, a context and a timer.
 * **Not for** counting on one responder: all subscribers get it; for one of many, let them share a `QueueGroup`.
 * **Source** Request-reply of NATS, with its "no responders".
 *
 * @example
 * const bus = new PubSub<{ greet: Request<string, string> }>();
 * bus.on("greet", answering((name) => `hello ${name}`));
 * await request(bus, "greet", "ada", { timeoutMs: 1000 }); //=> "hello ada"
 */
export function request<M extends object, K extends RequestTopic<M>>(
  bus: PubSub<M>,
  topic: K,
  body: BodyOf<M[K]>,
  options: RequestOptions,
): Promise<AnswerOf<M[K]>> {
  requireDuration("timeoutMs", options.timeoutMs);
  return rejectIfCancelled(options) ?? ask(bus, topic, body, options, 1).then(firstOf);
}

/**
 * Publishes a request, and waits until each subscriber who took it has answered: a publish that waits until the message
 * has been handled.
 *
 * **Guarantees** Gives the answers and failures in the order in which they came.
 * **Cancellation** Rejects with the signal's reason.
 * **Errors** As {@link request}, but a failure of an answer is in the list.
 * **Not for** readers who share a subscription or never answer: it waits for as many answers as subscriptions took it.
 *
 * @example
 * const bus = new PubSub<{ flush: Request<string, number> }>();
 * bus.on("flush", answering(() => 1));
 * bus.on("flush", answering(() => Promise.reject("disk full")));
 * const answers = await requestAll(bus, "flush", "now", { timeoutMs: 1000 });
 * answers.map(({ status }) => status); //=> ["fulfilled", "rejected"]
 */
export function requestAll<M extends object, K extends RequestTopic<M>>(
  bus: PubSub<M>,
  topic: K,
  body: BodyOf<M[K]>,
  options: RequestOptions,
): Promise<PromiseSettledResult<AnswerOf<M[K]>>[]> {
  requireDuration("timeoutMs", options.timeoutMs);
  const cancelled = rejectIfCancelled(options);
  return cancelled ?? ask(bus, topic, body, options, Number.POSITIVE_INFINITY).then(resultsOf);
}

/**
 * A handler of requests, for `on`: answers with what `handler` gives, or with its failure.
 *
 * **Guarantees** A request for whose answer nobody waits any more is not handled.
 * **Errors** A failure that comes too late for the asker goes to the `onError` of the listener.
 *
 * @example
 * const bus = new PubSub<{ half: Request<number, number> }>();
 * bus.on(
 *   "half",
 *   answering((n, ctx) => sleep(1, ctx).then(() => n / 2)),
 * );
 * await request(bus, "half", 42, { timeoutMs: 1000 }); //=> 21
 */
export function answering<Body, Answer>(
  handler: (body: Body, ctx: Context) => Answer | PromiseLike<Answer>,
): (request: Request<Body, Answer>) => Promise<void> {
  requireFunction("handler", handler);
  return async (asked) => {
    const { body, ctx } = asked;
    if (ctx.error !== undefined) return;
    const outcome = await outcomeOf(() => handler(body, ctx));
    if (outcome.ok) asked.reply(outcome.value);
    else if (!asked.fail(outcome.error) && outcome.error !== ctx.cause) throw outcome.error;
  };
}

/** Gives the first `most` answers, or fewer if fewer took the request. */
async function ask<M extends object, K extends RequestTopic<M>>(
  bus: PubSub<M>,
  topic: K,
  body: BodyOf<M[K]>,
  options: RequestOptions,
  most: number,
): Promise<readonly Outcome<AnswerOf<M[K]>>[]> {
  const scope = withTimeout(options, options.timeoutMs);
  const enough = new Deferred<void>(currentRuntime(), "request");
  const outcomes: Outcome<AnswerOf<M[K]>>[] = [];
  let expected = most;
  const settleIfEnough = (): void => {
    if (outcomes.length >= expected) enough.settle({ ok: true, value: undefined });
  };
  const asked = new Request<BodyOf<M[K]>, AnswerOf<M[K]>>(body, scope.ctx, (outcome) => {
    if (enough.outcome !== undefined) return false;
    outcomes.push(outcome);
    settleIfEnough();
    return true;
  });
  const published = (taken: Outcome<number>): void => {
    if (!taken.ok) return enough.settle(taken);
    if (taken.value === 0) enough.settle({ ok: false, error: new NoRespondersError(topic) });
    expected = Math.min(most, taken.value);
    settleIfEnough();
  };
  void outcomeOf(() => bus.publish(topic, asked as M[K], scope.ctx)).then(published);
  try {
    await enough.wait(scope.ctx);
    return outcomes;
  } finally {
    scope.cancel();
  }
}

function firstOf<T>([first]: readonly Outcome<T>[]): T {
  return valueOf(first as Outcome<T>);
}

function resultsOf<T>(outcomes: readonly Outcome<T>[]): PromiseSettledResult<T>[] {
  return outcomes.map((outcome) =>
    outcome.ok
      ? { status: "fulfilled", value: outcome.value }
      : { status: "rejected", reason: outcome.error },
  );
}
