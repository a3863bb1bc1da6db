/**
 * Events that are answered.
 */
import { type CancelOptions, linkCancel, rejectIfCancelled } from "../../core/cancellation.ts";
import { Deferred } from "../../core/deferred.ts";
import { ClosedError } from "../../core/errors.ts";
import { bareRuntime } from "../../core/bare-runtime.ts";
import { type Context, withTimeout } from "../../sync/context.ts";
import { type AnswerOf, type BodyOf, RequestMessage } from "../../sync/request.ts";

export { type AnswerOf, answering, type BodyOf, RequestMessage } from "../../sync/request.ts";

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
  [K in keyof E & string]: E[K] extends RequestMessage<unknown, never> ? K : never;
}[keyof E & string];

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
 * const loop = new EventLoop<{ deposit: number; balance: RequestMessage<void, number> }>();
 * let cents = 0;
 * loop.on("deposit", (amount) => void (cents += amount));
 * loop.on(
 *   "balance",
 *   answering(() => cents),
 * );
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
  body: BodyOf<E[K]>,
  options: AskOptions = {},
): Promise<AnswerOf<E[K]>> {
  const { timeoutMs = Number.POSITIVE_INFINITY } = options;
  const { ctx, cancel } = withTimeout(options, timeoutMs);
  return rejectIfCancelled(ctx) ?? askWithin(loop, kind, body, { ctx, cancel });
}

async function askWithin<E extends object, K extends RequestKind<E>>(
  loop: Asked<E>,
  kind: K,
  body: BodyOf<E[K]>,
  { ctx, cancel }: { readonly ctx: Context; readonly cancel: () => void },
): Promise<AnswerOf<E[K]>> {
  const answered = new Deferred<AnswerOf<E[K]>>(bareRuntime(), "ask");
  const request = new RequestMessage<BodyOf<E[K]>, AnswerOf<E[K]>>(body, ctx, (outcome) => {
    const first = answered.outcome === undefined;
    answered.settle(outcome);
    return first;
  });
  const unanswered = { ok: false, error: new ClosedError("event loop has ended") } as const;
  const link = linkCancel(loop.ctx, { onCancel: () => answered.settle(unanswered) });
  try {
    await loop.post(kind, request as E[K], ctx);
    return await answered.wait(ctx);
  } finally {
    link?.release();
    cancel();
  }
}
