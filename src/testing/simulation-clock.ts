/**
 * The clock of a simulation. Its timers never fire by themselves: the simulation takes those that are due and puts
 * them on its ready list, next to the tasks.
 */
import { type Clock, systemClock, type Timer } from "../core/clock.ts";
import type { Tracer } from "../core/events.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import { type HeapTimer, TimerHeap } from "../core/timer-heap.ts";

/** A timer that was set in a simulation. */
export interface SimulationTimer extends HeapTimer {
  readonly callback: () => void;
  /** The task that set it. */
  readonly task: TaskRecord | undefined;
}

/** How time passes. */
export interface Passage {
  /** `virtual`: it stands still until it is moved. `real`: it is the machine's. */
  readonly kind: "virtual" | "real";
  /** How many virtual milliseconds pass in one of the machine's; Infinity does not wait at all. */
  readonly speed: number;
}

export class SimulationClock implements Clock {
  /** Told of timers that are set, fired and cleared. */
  tracer: Tracer | undefined;
  /** The task whose code runs now. */
  currentTask: () => TaskRecord | undefined = () => undefined;
  readonly #passage: Passage;
  readonly #timers = new TimerHeap<SimulationTimer>();
  #nextId = 1;
  /** Virtual time, and the instant of the machine's clock at which it was that. */
  #virtualMs = 0;
  #wallMs: number = systemClock.now();

  constructor(passage: Passage) {
    this.#passage = passage;
  }

  now(): number {
    if (this.#passage.kind === "virtual") return this.#virtualMs;
    return systemClock.now() - this.#wallMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    if (delayMs === Number.POSITIVE_INFINITY) return { cancel: () => {} };
    const id = this.#nextId++;
    const dueMs = this.now() + delayMs;
    const timer: SimulationTimer = { id, dueMs, callback, task: this.currentTask(), state: "set" };
    this.#timers.push(timer);
    this.tracer?.emit({ k: "timer.set", id, due: Math.round(timer.dueMs * 1000) });
    return { cancel: () => this.#clear(timer) };
  }

  /** The timers that are set, in no order. */
  get timers(): readonly SimulationTimer[] {
    return this.#timers.live;
  }

  /** When the next timer is due, if one is set. */
  get nextDueMs(): number | undefined {
    return this.#timers.first?.dueMs;
  }

  /** How long the machine's clock must go on until then; zero and less if there is nothing to wait for. */
  wallDelayTo(dueMs: number): number {
    if (this.#passage.kind === "real") return dueMs - this.now();
    if (this.#passage.speed === Number.POSITIVE_INFINITY) return 0;
    return this.#wallMs + (dueMs - this.#virtualMs) / this.#passage.speed - systemClock.now();
  }

  /** Virtual time becomes `dueMs`: everybody has waited long enough. */
  moveTo(dueMs: number): void {
    if (this.#passage.kind === "real") return;
    this.#wallMs += (dueMs - this.#virtualMs) / this.#passage.speed;
    this.#virtualMs = dueMs;
  }

  /** The wait for `dueMs` was interrupted: virtual time is as far as the machine's clock says. */
  moveToWall(dueMs: number): void {
    const passedMs = (systemClock.now() - this.#wallMs) * this.#passage.speed;
    if (Number.isFinite(passedMs))
      this.moveTo(Math.max(this.#virtualMs, Math.min(dueMs, this.#virtualMs + passedMs)));
  }

  /** The machine's clock went on while virtual time stood still, for a reason outside of the simulation. */
  forgetWall(): void {
    if (this.#passage.kind === "virtual") this.#wallMs = systemClock.now();
  }

  /** Takes the timers that are due by now. */
  takeDue(): SimulationTimer[] {
    const due: SimulationTimer[] = [];
    const nowMs = this.now();
    while ((this.#timers.first?.dueMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      due.push(this.#timers.shift() as SimulationTimer);
    }
    return due;
  }

  /** Runs the callback of a timer that was taken, unless it was cancelled since. */
  fire(timer: SimulationTimer): void {
    if (timer.state === "over") return;
    timer.state = "over";
    this.tracer?.emit({ k: "timer.fire", id: timer.id }, timer.task?.id);
    timer.callback();
  }

  #clear(timer: SimulationTimer): void {
    if (timer.state === "over") return;
    this.#timers.cancel(timer);
    this.tracer?.emit({ k: "timer.clear", id: timer.id });
  }
}
