/**
 * Asks over a bus: a request is a message that can be answered.
 */
import { requireDuration } from "../../core/arguments.ts";
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { ConcurrencyError } from "../../core/errors.ts";
import { bareRuntime } from "../../core/bare-runtime.ts";
import { type Outcome, outcomeOf, valueOf } from "../../core/task.ts";
import { withTimeout } from "../../sync/context.ts";
import { type AnswerOf, type BodyOf, RequestMessage } from "../../sync/request.ts";
import type { PubSub, Topic } from "./bus.ts";

export { type AnswerOf, answering, type BodyOf, RequestMessage } from "../../sync/request.ts";

/** How long to wait for an answer. */
export interface RequestOptions extends CancelOptions {
  /** Milliseconds until it fails with a `TimeoutError`; `Infinity` to wait for ever. */
  readonly timeoutMs: number;
}

/** The topics of `M` on which something can be asked. */
export type RequestTopic<M> = {
  [K in Topic<M>]: M[K] extends RequestMessage<infer _Body, infer _Answer> ? K : never;
}[Topic<M>];

/**
 * Nobody took the request.
 *
 * @example
 * const bus = new PubSub<{ double: RequestMessage<number, number> }>();
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
 * const bus = new PubSub<{ greet: RequestMessage<string, string> }>();
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
 * **Not for** readers who share a subscription, never answer, or answer more than once: it waits for as many answers as
 * subscriptions took it, and all get the same request, so it cannot tell whose an answer is. `answering` answers once.
 *
 * @example
 * const bus = new PubSub<{ flush: RequestMessage<string, number> }>();
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

/** Gives the first `most` answers, or fewer if fewer took the request. */
async function ask<M extends object, K extends RequestTopic<M>>(
  bus: PubSub<M>,
  topic: K,
  body: BodyOf<M[K]>,
  options: RequestOptions,
  most: number,
): Promise<readonly Outcome<AnswerOf<M[K]>>[]> {
  const scope = withTimeout(options, options.timeoutMs);
  const enough = new Deferred<void>(bareRuntime(), "request");
  const outcomes: Outcome<AnswerOf<M[K]>>[] = [];
  let expected = most;
  const settleIfEnough = (): void => {
    if (outcomes.length >= expected) enough.settle({ ok: true, value: undefined });
  };
  const asked = new RequestMessage<BodyOf<M[K]>, AnswerOf<M[K]>>(body, scope.ctx, (outcome) => {
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
