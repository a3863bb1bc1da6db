/**
 * Those who wait for one limit, and those who wait for several limits at once.
 *
 * One who waits for several stands in one line after the other and leaves them together. So what it has reached the head
 * of is kept for it, and what it has not come to yet is open to the others.
 *
 * Invariants
 *   I1  A line is first come, first served. Nobody takes from its limit while somebody else stands in it.
 *   I2  All stand in lines in one order, the slowest limit first. So the first in the last line that anybody stands in
 *       waits for nothing but time, and in the end everybody gets through.
 *   I3  Who stands in a further line is first in the ones before, and has found the tokens there.
 *   I4  A line has a timer only while its first waits for its limit.
 */
import type { CancelOptions } from "../../core/cancellation.ts";
import type { Timer } from "../../core/clock.ts";
import { observe, type Resource } from "../../core/resource.ts";
import { currentRuntime, type Runtime } from "../../core/runtime.ts";
import type { TaskRecord } from "../../core/scheduler.ts";
import { Waiter } from "../../core/waiter.ts";
import { QueueNode, WaiterQueue } from "../../core/waiter-queue.ts";

/**
 * The arithmetic of a limit. It has no clock: every call is told the instant, in milliseconds, and no instant lies before
 * an earlier one. While nobody takes, it only gets easier to take.
 */
export interface Rule {
  /** How many tokens can be had at one instant. */
  readonly limit: number;
  /** How many can be had in the long run. */
  readonly perSecond: number;
  /** The first instant from `nowMs` on at which so many, at most `limit`, can be had. */
  dueMs(nowMs: number, tokens: number): number;
  /** Takes tokens that can be had. */
  take(nowMs: number, tokens: number): void;
  /** How many can be had. */
  remaining(nowMs: number): number;
  /** The first instant from `nowMs` on at which it has forgotten all that was taken. */
  resetMs(nowMs: number): number;
}

let made = 0;

export class Line {
  readonly rule: Rule;
  readonly resource: Resource | undefined;
  readonly #runtime: Runtime = currentRuntime();
  readonly #number = made++;
  readonly #stands = new WaiterQueue<Stand>();
  #timer: Timer | undefined;
  #latestMs = 0;

  constructor(rule: Rule, name: string | undefined) {
    this.rule = rule;
    this.resource = observe(this.#runtime, "limiter", name, rule.limit);
  }

  /** The order in which lines are stood in. */
  static order(one: Line, other: Line): number {
    return one.rule.perSecond - other.rule.perSecond || one.#number - other.#number;
  }

  /** How many stand in it. */
  get waiting(): number {
    return this.#stands.size;
  }

  /** The clock's time. A clock that went back would have tokens refilled twice for the same time. */
  now(): number {
    this.#latestMs = Math.max(this.#latestMs, this.#runtime.clock.now());
    return this.#latestMs;
  }

  /** For so long nobody who comes now could have so many: the first of those who wait comes before. */
  delayFor(tokens: number): number {
    if (tokens > this.rule.limit) return Number.POSITIVE_INFINITY;
    const first = this.#stands.first?.waiter;
    if (first === undefined) return this.#ownDelay(tokens);
    const before = first.line === this ? this.#ownDelay(first.tokens) : first.line.delayFor(0);
    return Math.max(before, this.#ownDelay(tokens));
  }

  /** Takes so many for one who comes now and needs no other line, if they are there and nobody waits. */
  tryTake(tokens: number): boolean {
    if (this.#stands.size > 0 || tokens > this.rule.limit) return false;
    const nowMs = this.now();
    if (this.rule.dueMs(nowMs, tokens) > nowMs) return false;
    this.#takeAt(nowMs, tokens, nowMs);
    return true;
  }

  take(tokens: number, sinceMs: number, task?: TaskRecord): void {
    this.#takeAt(this.now(), tokens, sinceMs, task);
  }

  /** Whether anybody records what is granted and denied. */
  get traced(): boolean {
    return this.resource?.traced === true;
  }

  deny(): void {
    this.resource?.emit({ k: "limit.deny", ...this.#level(this.resource) });
  }

  /** For {@link LineWaiter} alone. */
  join(waiter: LineWaiter): Stand {
    const stand = new Stand(waiter);
    this.#stands.push(stand);
    return stand;
  }

  /**
   * Lets the first of those who stand here go on, if it may, and adds to `todo` the lines that are to be looked at then.
   * One who is being cancelled will leave, and then this is asked again.
   */
  serve(todo: Set<Line>): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const first = this.#stands.first?.waiter;
    if (first === undefined || first.givenUp || first.line !== this) return;
    const delayMs = this.#ownDelay(first.tokens);
    if (delayMs > 0) this.#timer = this.#runtime.clock.after(delayMs, () => serve([this]));
    else first.goOn(todo);
  }

  #takeAt(nowMs: number, tokens: number, sinceMs: number, task?: TaskRecord): void {
    this.rule.take(nowMs, tokens);
    if (this.resource?.traced !== true) return;
    const wait = Math.round(Math.max(0, nowMs - sinceMs) * 1000);
    this.resource.emit({ k: "limit.grant", ...this.#level(this.resource), wait }, task?.id);
  }

  #ownDelay(tokens: number): number {
    const nowMs = this.now();
    return this.rule.dueMs(nowMs, tokens) - nowMs;
  }

  #level({ id }: Resource): { readonly r: number; readonly tokens: number } {
    return { r: id, tokens: this.rule.remaining(this.now()) };
  }
}

/** Lets go on, from the front of each line, as many as may. A loop and not a recursion: they may be many. */
export function serve(lines: Iterable<Line>): void {
  const todo = new Set(lines);
  for (const line of todo) {
    todo.delete(line);
    line.serve(todo);
  }
}

/** A place in one line. */
class Stand extends QueueNode {
  readonly waiter: LineWaiter;

  constructor(waiter: LineWaiter) {
    super();
    this.waiter = waiter;
  }
}

/** One who waits, in one line or in several. */
export class LineWaiter extends Waiter<void> {
  readonly tokens: number;
  readonly #lines: readonly Line[];
  readonly #sinceMs: number;
  readonly #stands: Stand[] = [];

  /** Stands in the first of the lines, behind all others. */
  constructor(runtime: Runtime, lines: readonly [Line, ...Line[]], tokens: number, options?: CancelOptions) {
    const about = lines.flatMap(({ resource }) => resource ?? []);
    super(runtime, "limit", about, options);
    this.tokens = tokens;
    this.#lines = lines;
    this.#sinceMs = lines[0].now();
    this.#stands.push(lines[0].join(this));
  }

  /** The furthest line in which it stands: the one that it waits for. */
  get line(): Line {
    return this.#lines[this.#stands.length - 1] as Line;
  }

  /** The line lets it through: it stands in the next one, or, after the last, takes from all and leaves them. */
  goOn(todo: Set<Line>): void {
    const next = this.#lines[this.#stands.length];
    if (next !== undefined) {
      this.#stands.push(next.join(this));
      todo.add(next);
      return;
    }
    for (const line of this.#lines) {
      line.take(this.tokens, this.#sinceMs, this.task);
      todo.add(line);
    }
    this.grant();
  }

  override onCancel(reason: unknown): void {
    super.onCancel(reason);
    serve(this.#lines.slice(0, this.#stands.length));
  }

  protected override leave(): void {
    super.leave();
    for (const stand of this.#stands) stand.queue?.remove(stand);
  }
}
