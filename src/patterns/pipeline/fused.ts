/**
 * Stages that run in the task of the stage before: what that one gives goes through the step, and on, in one call.
 */
import { type CancelOptions, rejectIfCancelled } from "../../core/cancellation.ts";
import { bareRuntime } from "../../core/bare-runtime.ts";
import { isPending } from "../../core/task.ts";
import type { Context } from "../../sync/context.ts";
import { handOver, type Outlet } from "../../sync/flow/hand-over.ts";
import { type Made, skipped } from "../../sync/parallel-map/on-error.ts";
import type { Received } from "../../sync/ports.ts";
import type { StageObserver } from "./observer.ts";

/** What a stage does with each value. */
export type Step<T, U> = (value: T, ctx: Context) => Made<U> | PromiseLike<Made<U>>;

const optionsOfWorkers = ["concurrency", "ordered", "onError"];

/** A fused stage has no workers: it does not even start what they are asked for. */
export function refuseOptionsOfWorkers(options: object): void {
  const given = optionsOfWorkers.find((name) => (options as Record<string, unknown>)[name] !== undefined);
  if (given !== undefined) throw new TypeError(`${given} is for a stage of its own: this one is fused`);
}

/** Where the stage before hands its values over. */
export function fusedOutlet<T, U>(step: Step<T, U>, out: Outlet<U>, ctx: Context): Outlet<T> {
  const runtime = bareRuntime();
  const handOn = (made: Made<U>, options: CancelOptions): Promise<void> | undefined =>
    made === skipped ? undefined : handOver(runtime, out, made, options);
  const handOnLater = async (making: PromiseLike<Made<U>>, options: CancelOptions): Promise<void> =>
    handOn(await making, options);
  const give = (value: T, options: CancelOptions): Promise<void> | undefined => {
    const cancelled = rejectIfCancelled(options);
    if (cancelled !== undefined) return cancelled;
    const made = step(value, ctx);
    return isPending(made) ? handOnLater(made, options) : handOn(made, options);
  };
  return { give, send: async (value, options = ctx) => give(value, options) };
}

/**
 * The same, watched, while `produce` runs. Nobody asks for values here, so the stage says itself that it waits for one,
 * whenever it has none.
 */
export async function watchedFusedStage<T, U>(
  step: Step<T, U>,
  out: Outlet<U>,
  ctx: Context,
  watch: StageObserver,
  produce: (outlet: Outlet<T>) => Promise<void>,
): Promise<void> {
  const input = new WatchedInput<T>(watch);
  const send = async (value: T, options: CancelOptions = ctx): Promise<void> => {
    await rejectIfCancelled(options);
    await input.came({ value, done: false });
    const made = await watch.work(() => step(value, ctx));
    if (made !== skipped) await watch.give(() => out.send(made, options));
    input.wait();
  };
  await watch.run(async () => {
    input.wait();
    await produce({ send });
    await input.came({ value: undefined, done: true });
  });
}

/** At most one value is asked for. */
class WatchedInput<T> {
  readonly #watch: StageObserver;
  #asked: { readonly taken: Promise<unknown>; readonly answer: (received: Received<T>) => void } | undefined;

  constructor(watch: StageObserver) {
    this.#watch = watch;
  }

  /** The stage waits for a value. */
  wait(): void {
    this.#asked ??= this.#ask();
  }

  /** It has come; also while the stage still works on another, if there is more than one worker before it. */
  async came(received: Received<T>): Promise<void> {
    const { taken, answer } = this.#asked ?? this.#ask();
    this.#asked = undefined;
    answer(received);
    await taken;
  }

  #ask() {
    let answer!: (received: Received<T>) => void;
    const answered = new Promise<Received<T>>((resolve) => {
      answer = resolve;
    });
    return { taken: this.#watch.take(() => answered), answer };
  }
}
