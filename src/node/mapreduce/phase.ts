/**
 * Tasks that are done by threads, each until one attempt at it has come to something.
 *
 * Invariants
 *   I1  A task is committed once: by the first of its attempts that succeeds. The others are given up, and what they
 *       have made is nobody's.
 *   I2  At most `threads` attempts run. There are two at one task only while no task waits for its first.
 */
import type { Timer } from "../../core/clock.ts";
import type { CancelOptions } from "../../core/cancellation.ts";
import { TimeoutError } from "../../core/errors.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import { outcomeOf } from "../../core/task.ts";
import { type CancelableContext, type Context, withCancel } from "../../sync/context.ts";
import { TaskGroup } from "../../sync/task-group.ts";
import { ThreadCrashError } from "../../threads/errors.ts";

/** How often and when tasks are tried again. */
export interface PhaseLimits {
  /** How many attempts may run at once. */
  readonly threads: number;
  /** How often a task is tried again whose thread has ended. */
  readonly retries: number;
  /** An attempt that has run for so long gets a copy, when nothing else is to do. */
  readonly speculateAfterMs: number;
}

/** What the tasks are. */
export interface PhaseTasks<D> extends PhaseLimits {
  /** How many there are; they are numbered from 0. */
  readonly tasks: number;
  /** Has a task done. Rejects with `ThreadCrashError` or `TimeoutError` if it may be tried again. */
  attempt(task: number, attempt: number, ctx: Context): Promise<D>;
  /** Makes what an attempt has come to what the task has come to. */
  commit(task: number, attempt: number, done: D): Promise<void>;
  /** Told that an attempt is lost. Says whether the cause is known, and out of the way: then all that were lost are forgotten. */
  lost(task: number, attempt: number, error: unknown): boolean;
  /** Told that a task is tried again, or at the same time once more. */
  again(how: "retried" | "copied"): void;
}

interface PhaseTask {
  readonly index: number;
  readonly attempts: Set<CancelableContext>;
  tried: number;
  lost: number;
  sinceMs: number;
  state: "open" | "committed";
}

/** An attempt that has taken so much longer than others is a straggler. */
const STRAGGLING = 2;

export class Phase<D> {
  readonly #parts: PhaseTasks<D>;
  readonly #runtime: Runtime = currentRuntime();
  readonly #group: TaskGroup;
  readonly #running = new Set<PhaseTask>();
  /** Those that are to be tried again. */
  readonly #again: PhaseTask[] = [];
  #next = 0;
  #active = 0;
  #timer: Timer | undefined;
  /** How many have been committed, and how long those attempts took together. */
  #done = 0;
  #doneMs = 0;

  constructor(parts: PhaseTasks<D>, options: CancelOptions & { readonly name: string }) {
    this.#parts = parts;
    this.#group = new TaskGroup({ ...options, capacity: Number.POSITIVE_INFINITY });
  }

  /** Settles when every task is committed; rejects with the first failure when no attempt is left. */
  async run(): Promise<void> {
    this.#fill();
    try {
      await this.#group.wait();
    } finally {
      this.#timer?.cancel();
    }
  }

  /** Gives free threads something to do. */
  #fill(): void {
    this.#timer?.cancel();
    while (this.#active < this.#parts.threads && this.#group.ctx.error === undefined) {
      const task = this.#again.pop() ?? this.#fresh() ?? this.#straggler();
      if (task === undefined) return;
      this.#start(task);
    }
  }

  #start(task: PhaseTask): void {
    const scope = withCancel(this.#group.ctx);
    if (task.attempts.size === 0) task.sinceMs = this.#runtime.clock.now();
    task.attempts.add(scope);
    this.#running.add(task);
    this.#active++;
    this.#group.go(() => this.#attempt(task, scope));
  }

  #fresh(): PhaseTask | undefined {
    if (this.#next === this.#parts.tasks) return undefined;
    return { index: this.#next++, attempts: new Set(), tried: 0, lost: 0, sinceMs: 0, state: "open" };
  }

  /** The one that has run for longest, if that is too long; else it is looked at again when it will be. */
  #straggler(): PhaseTask | undefined {
    let oldest: PhaseTask | undefined;
    for (const task of this.#running)
      if (task.attempts.size === 1 && task.sinceMs < (oldest?.sinceMs ?? Number.POSITIVE_INFINITY))
        oldest = task;
    if (oldest === undefined || this.#parts.speculateAfterMs === Number.POSITIVE_INFINITY) return undefined;
    const meanMs = this.#done === 0 ? 0 : this.#doneMs / this.#done;
    const dueMs = oldest.sinceMs + Math.max(this.#parts.speculateAfterMs, STRAGGLING * meanMs);
    const leftMs = dueMs - this.#runtime.clock.now();
    if (leftMs > 0) {
      this.#timer = this.#runtime.clock.after(leftMs, () => this.#fill());
      return undefined;
    }
    this.#parts.again("copied");
    return oldest;
  }

  async #attempt(task: PhaseTask, scope: CancelableContext): Promise<void> {
    const number = task.tried++;
    const sinceMs = this.#runtime.clock.now();
    const outcome = await outcomeOf(() => this.#parts.attempt(task.index, number, scope.ctx));
    task.attempts.delete(scope);
    scope.cancel();
    // Else another attempt at it was sooner.
    if (task.state === "open") {
      if (!outcome.ok) this.#lost(task, number, outcome.error);
      else {
        this.#win(task);
        await this.#parts.commit(task.index, number, outcome.value);
        this.#done++;
        this.#doneMs += this.#runtime.clock.now() - sinceMs;
      }
    }
    this.#active--;
    this.#fill();
  }

  #win(task: PhaseTask): void {
    task.state = "committed";
    this.#running.delete(task);
    for (const { cancel } of task.attempts) cancel();
  }

  /** Its thread has gone, or was too slow: it is tried again, unless another attempt at it still runs. */
  #lost(task: PhaseTask, attempt: number, error: unknown): void {
    const threads = error instanceof ThreadCrashError || error instanceof TimeoutError;
    if (!threads) throw error;
    task.lost = this.#parts.lost(task.index, attempt, error) ? 0 : task.lost + 1;
    if (task.lost > this.#parts.retries) throw error;
    if (task.attempts.size > 0) return;
    this.#running.delete(task);
    this.#again.push(task);
    this.#parts.again("retried");
  }
}
