/**
 * Messages that are answered: what asks over an event loop and over a bus have in common.
 */
import { requireFunction } from "../core/arguments.ts";
import { linkCancel } from "../core/cancellation.ts";
import { type Outcome, outcomeOf } from "../core/task.ts";
import { type Context, withCancel } from "./context.ts";

/** What is asked with a {@link RequestMessage}. */
export type BodyOf<R> = R extends RequestMessage<infer Body, infer _> ? Body : never;

/** What a {@link RequestMessage} is answered with. */
export type AnswerOf<R> = R extends RequestMessage<infer _, infer Answer> ? Answer : never;

/**
 * A message that can be answered, whatever carries it: an event loop, a bus. Whoever gets it may; {@link answering} makes
 * a handler that does. The first answer counts.
 *
 * @example
 * const bus = new PubSub<{ double: RequestMessage<number, number> }>();
 * bus.on("double", (asked) => void asked.reply(asked.body * 2));
 * await request(bus, "double", 21, { timeoutMs: 1000 }); //=> 42
 */
export class RequestMessage<Body, Answer> {
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
 * Makes a handler of requests of one that gives the answer.
 *
 * **Guarantees** A request for whose answer nobody waits any more is not handled.
 * **Cancellation** The context of `handler` ends when nobody waits for the answer any more, and with what carries the
 * request, if that gives its handlers a context.
 * **Errors** What `handler` fails with goes to whoever asks; if they have left, to where failures of handlers go.
 *
 * @example
 * const bus = new PubSub<{ half: RequestMessage<number, number> }>();
 * bus.on(
 *   "half",
 *   answering((n, ctx) => sleep(1, ctx).then(() => n / 2)),
 * );
 * await request(bus, "half", 42, { timeoutMs: 1000 }); //=> 21
 */
export function answering<Body, Answer>(
  handler: (body: Body, ctx: Context) => Answer | PromiseLike<Answer>,
): (request: RequestMessage<Body, Answer>, carrier?: Context) => Promise<void> {
  requireFunction("handler", handler);
  return async (asked, carrier) => {
    if (asked.ctx.error !== undefined) return;
    const scope = withCancel(asked.ctx);
    const link = linkCancel(carrier, { onCancel: (reason) => scope.cancel(reason) });
    const outcome = await outcomeOf(() => handler(asked.body, scope.ctx));
    link?.release();
    const toldTo = !outcome.ok && scope.ctx.error !== undefined && outcome.error === scope.ctx.cause;
    scope.cancel();
    if (outcome.ok) asked.reply(outcome.value);
    else if (!asked.fail(outcome.error) && !toldTo) throw outcome.error;
  };
}
