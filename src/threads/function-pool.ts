/**
 * One function of a module as a pool: the interface that pools of one event loop have, too.
 */
import type { CancelOptions } from "../core/cancellation.ts";
import type { Pool, PoolMapOptions, PoolRunOptions, PoolStats } from "../patterns/pools.ts";
import type { Flow } from "../sync/flow.ts";
import type { Source } from "../sync/source.ts";

/** A pool of several functions, whatever they are called. */
export interface NamedPool
  extends Omit<Pool<unknown, unknown>, "run" | "tryRun" | "map" | symbol>,
    AsyncDisposable {
  run(name: string, job: unknown, options?: PoolRunOptions): Promise<unknown>;
  tryRun(name: string, job: unknown, options?: PoolRunOptions): Promise<unknown> | undefined;
  map(name: string, source: Source<unknown>, options?: PoolMapOptions): Flow<unknown>;
}

export class FunctionPool<I, O> implements Pool<I, O> {
  readonly #threads: NamedPool;
  readonly #name: string;

  constructor(threads: NamedPool, name: string) {
    this.#threads = threads;
    this.#name = name;
  }

  get size(): number {
    return this.#threads.size;
  }

  get active(): number {
    return this.#threads.active;
  }

  get waiting(): number {
    return this.#threads.waiting;
  }

  get paused(): boolean {
    return this.#threads.paused;
  }

  get stats(): PoolStats {
    return this.#threads.stats;
  }

  run(job: I, options?: PoolRunOptions): Promise<O> {
    return this.#threads.run(this.#name, job, options) as Promise<O>;
  }

  tryRun(job: I, options?: PoolRunOptions): Promise<O> | undefined {
    return this.#threads.tryRun(this.#name, job, options) as Promise<O> | undefined;
  }

  map(source: Source<I>, options?: PoolMapOptions): Flow<O> {
    return this.#threads.map(this.#name, source, options) as Flow<O>;
  }

  ready(options?: CancelOptions): Promise<void> {
    return this.#threads.ready(options);
  }

  resize(workers: number): void {
    this.#threads.resize(workers);
  }

  pause(): void {
    this.#threads.pause();
  }

  resume(): void {
    this.#threads.resume();
  }

  clear(cause?: unknown): number {
    return this.#threads.clear(cause);
  }

  close(): void {
    this.#threads.close();
  }

  drain(options?: CancelOptions): Promise<void> {
    return this.#threads.drain(options);
  }

  cancel(cause?: unknown): void {
    this.#threads.cancel(cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads[Symbol.asyncDispose]();
  }
}
