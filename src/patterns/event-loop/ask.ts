/**
 * Events that are answered: a request, and the handler that gives its reply.
 */
import { requireFunction } from "../../core/arguments.ts";
import { type CancelOptions, linkCancel, rejectIfCancelled } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { ClosedError } from "../../core/errors.ts";
import { currentRuntime } from "../../core/runtime.ts";
import { type Outcome, outcomeOf, valueOf } from "../../core/task.ts";
import { type Context, withCancel, withTimeout } from "../../sync/context.ts";
import type { EventHandler } from "./options.ts";

/** An event that carries a question of type `Q` and wants an answer of type `A`. Made by {@link ask}. */
export interface Request<Q, A> {
  /** What is asked. */
  readonly question: Q;
  /** Ends when whoever asks has given up, or has got an answer. */
  readonly ctx: Context;
  /** Answers, or says why not. The first answer counts; says whether this was it, and somebody has waited for it. */
  settle(outcome: Outcome<A>): boolean;
}

/** How long to wait for an answer. */
export interface AskOptions extends CancelOptions {
  /** How long to wait at most, for room and for the answer together, in milliseconds; default Infinity. */
  readonly timeoutMs?: number | undefined;
}

/** What a request is sent to: an `EventLoop` is one. */
export interface Asked<E extends object> {
  /** Never there: says which events it takes. */
  readonly events?: E;
  /** Ends when nothing is handled any more. */
  readonly ctx: Context;
  /** See `EventLoop.post`. */
  post<K extends keyof E & string>(kind: K, value: E[K], options?: CancelOptions): Promise<void>;
}

/** The kinds of events that are requests. */
type RequestKind<E extends object> = {
  [K in keyof E & string]: E[K] extends Request<unknown, never> ? K : never;
}[keyof E & string];

type QuestionOf<R> = R extends Request<infer Q, never> ? Q : never;
type AnswerOf<R> = R extends { settle(outcome: Outcome<infer A>): boolean } ? A : never;

/**
 * Posts a request and waits for its answer, where `post` only waits until the event has been accepted.
 *
 * **Guarantees** It settles: with the answer, with what the handler failed with, or with a `ClosedError` when the loop ends
 * without having answered.
 * **Cancellation** Rejects with the signal's reason. If the request waits, it is not handled; if it is being handled,
 * the context of its handler ends.
 * **Errors** A `TimeoutError` after `timeoutMs`; a `ClosedError` if the loop is closed. A handler that fails fails the
 * request, and does not end the loop.
 * **Cost** That of `post`, an outcome and a context.
 * **Not for** a handler that asks its own loop: it would wait for itself.
 * **Source** `ask` of Akka; `gen_server:call` of Erlang/OTP.
 *
 * @example
 * const loop = new EventLoop<{ deposit: number; balance: Request<void, number> }>();
 * let cents = 0;
 * loop.on("deposit", (amount) => void (cents += amount));
 * loop.on("balance", answer(() => cents));
 * const running = loop.run();
 * await loop.post("deposit", 5);
 * const balance = await ask(loop, "balance", undefined, { timeoutMs: 1000 });
 * loop.close();
 * await running;
 * balance; //=> 5
 */
export function ask<E extends object, K extends RequestKind<E>>(
  loop: Asked<E>,
  kind: K,
  question: QuestionOf<E[K]>,
  options: AskOptions = {},
): Promise<AnswerOf<E[K]>> {
  const { timeoutMs = Number.POSITIVE_INFINITY } = options;
  const { ctx, cancel } = withTimeout(options, timeoutMs);
  return rejectIfCancelled(ctx) ?? askWithin(loop, kind, question, { ctx, cancel });
}

async function askWithin<E extends object, K extends RequestKind<E>>(
  loop: Asked<E>,
  kind: K,
  question: QuestionOf<E[K]>,
  { ctx, cancel }: { readonly ctx: Context; readonly cancel: () => void },
): Promise<AnswerOf<E[K]>> {
  const answered = new Deferred<AnswerOf<E[K]>>(currentRuntime(), "ask");
  const settle = (outcome: Outcome<AnswerOf<E[K]>>): boolean => {
    const first = answered.outcome === undefined && ctx.error === undefined;
    answered.settle(outcome);
    return first;
  };
  const unanswered = { ok: false, error: new ClosedError("event loop has ended") } as const;
  const link = linkCancel(loop.ctx, { onCancel: () => void settle(unanswered) });
  try {
    await loop.post(kind, { question, ctx, settle } as unknown as E[K], ctx);
    return await answered.wait(ctx);
  } finally {
    link?.release();
    cancel();
  }
}

/**
 * Makes a handler of requests of one that gives the answer.
 *
 * **Guarantees** A request of somebody who has given up is passed over.
 * **Cancellation** The context of `handler` ends with the run, and also when whoever asks gives up.
 * **Errors** What `handler` fails with goes to whoever asks; if they have left, to the loop, as of any handler.
 *
 * @example
 * const loop = new EventLoop<{ length: Request<string, number> }>();
 * loop.on("length", answer((text) => text.length));
 * const length = ask(loop, "length", "four");
 * await loop.run({ until: "idle" });
 * await length; //=> 4
 */
export function answer<Q, A>(
  handler: (question: Q, ctx: Context) => A | PromiseLike<A>,
): EventHandler<Request<Q, A>> {
  requireFunction("handler", handler);
  return async (request, ctx) => {
    if (request.ctx.error !== undefined) return;
    const scope = withCancel(ctx);
    const link = linkCancel(request.ctx, { onCancel: (reason) => scope.cancel(reason) });
    const outcome = await outcomeOf(() => handler(request.question, scope.ctx));
    link?.release();
    const toldTo = !outcome.ok && scope.ctx.error !== undefined && outcome.error === scope.ctx.cause;
    scope.cancel();
    if (!request.settle(outcome) && !toldTo) valueOf(outcome);
  };
}
