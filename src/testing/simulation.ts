/**
 * The engine behind `simulate`: one task goes on at a time, in an order that a chooser decides, on a clock that moves
 * only when nobody can go on.
 *
 * A step resumes one entry of the ready list and then lets every microtask run before the next. So the task whose code
 * runs is known without any help of the host. The host has its turn now and then, and whenever a step ends with its task
 * waiting for something outside.
 *
 * Invariants
 *   I1  A live task is in exactly one of these states: it has entries on the ready list, it is blocked on
 *       suspensions, or it is external: it waits for something that the simulation does not know. It may also be both
 *       of the latter, in a select with a promise.
 *   I2  Time moves only while the ready list is empty.
 */
import { nextTurn, systemClock } from "../core/clock.ts";
import { ConcurrencyError } from "../core/errors.ts";
import type { TaskEnd, Tracer } from "../core/events.ts";
import type { Resource, Scheduler, SignalTie, Suspension, TaskRecord } from "../core/scheduler.ts";
import type { Chooser } from "./chooser.ts";
import { type Ready, takeAt } from "./ready.ts";
import { DeadlockError, errorText, StalledError, type StuckTask } from "./reports.ts";
import { afterMicrotasks } from "./settle.ts";
import { anyExternal, Call, onlyExternal, resourcesOf, SimulatedTask, Start } from "./simulated-task.ts";
import { type Observer, SimulatedResource } from "./simulated-resource.ts";
import type { SimulationClock } from "./simulation-clock.ts";
import { stuckIn } from "./stuck.ts";

/** How the engine is set up. */
export interface EngineOptions {
  readonly clock: SimulationClock;
  readonly tracer: Tracer | undefined;
  readonly chooser: Chooser;
  /** Makes this simulation's runtime the current one. */
  readonly enter: () => void;
  /** How long a wait for something outside may last, in the machine's milliseconds, before it is an error. */
  readonly externalTimeoutMs: number;
  /** More steps are an error: for programs that may go on for ever. */
  readonly maxSteps: number;
}

/** Virtual time is held back this long for a task that waits for something outside. */
const EXTERNAL_GRACE_MS = 20;

/** The host has its turn at least every so many steps. It costs about as much as the rest of a step. */
const STEPS_A_TURN = 64;

export class Simulation implements Scheduler {
  /** Steps taken so far. */
  steps = 0;
  /** False once the order of events has depended on something outside. */
  replayable = true;
  readonly signalTies: Set<SignalTie> = new Set();
  readonly #options: EngineOptions;
  readonly #tasks = new Map<number, SimulatedTask>();
  readonly #ready: Ready[] = [];
  /** Those that have ended and had not waited for all that they called. */
  readonly #careless: SimulatedTask[] = [];
  readonly #observer: Observer;
  #current: SimulatedTask | undefined;
  /** The task that went on last. */
  #last: SimulatedTask | undefined;
  #nextTaskId = 0;
  #nextResourceId = 1;
  #wake: (() => void) | undefined;
  /** Since when, on the machine's clock, some task has waited for something outside that has not come. */
  #outsideSinceMs: number | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#observer = {
      tracer: options.tracer,
      task: (id) => (id === undefined ? this.current : this.#tasks.get(id)),
    };
    options.clock.currentTask = () => this.current;
  }

  /** The running task; outside of a step, the one task that can have come back from outside, if it is only one. */
  get current(): SimulatedTask | undefined {
    return this.#current ?? onlyExternal(this.#tasks);
  }

  /** How many tasks have been started. */
  get spawned(): number {
    return this.#nextTaskId;
  }

  begin(): Promise<void> {
    return new Promise((resolve) => {
      const task = this.current;
      const call = new Call(task, resolve);
      task?.pending.add(call);
      const before = task?.lastCall;
      if (task !== undefined) task.lastCall = call;
      if (before === undefined) this.#push(call);
      else before.next = call;
    });
  }

  blocked(suspension: Suspension): void {
    const task = this.current;
    suspension.task = task;
    task?.pending.add(suspension);
    if (this.#options.tracer === undefined) return;
    const on = { op: suspension.op, r: resourcesOf(suspension).map(({ id }) => id) };
    const s = suspension.op === "sleep" ? "sleeping" : "blocked";
    this.#options.tracer.emit({ k: "task.state", s, on }, task?.id);
  }

  ready(suspension: Suspension): void {
    this.#options.tracer?.emit({ k: "task.state", s: "ready" }, suspension.task?.id);
    this.#push(suspension);
  }

  spawn(name: string, group: string | undefined): Promise<TaskRecord> {
    const parent = this.current;
    const ended = (task: SimulatedTask, how: TaskEnd, error: unknown): void => this.#ended(task, how, error);
    const task = new SimulatedTask(this.#nextTaskId++, name, parent, group, ended);
    const spawned = { k: "task.spawn", id: task.id, parent: parent?.id, name, group } as const;
    this.#options.tracer?.emit(spawned, parent?.id);
    this.#tasks.set(task.id, task);
    return new Promise((resolve) => {
      const start = new Start(task, resolve);
      task.pending.add(start);
      this.#push(start);
    });
  }

  choose(count: number): number {
    return count === 1 ? 0 : this.#options.chooser.among(count);
  }

  observe(type: string, name: string | undefined, capacity: number | undefined): Resource {
    const id = this.#nextResourceId++;
    const resource = new SimulatedResource(id, type, name, this.#observer);
    this.#observer.tracer?.emit({ k: "res.new", id, type, name: resource.name, cap: capacity });
    return resource;
  }

  /** Goes on until `main` has ended and, without moving time, everything that can still go on has. */
  async run(mainEnded: () => boolean): Promise<void> {
    for (;;) {
      await this.#stepOn();
      if (mainEnded()) return;
      if (anyExternal(this.#tasks)) await this.#waitOutside();
      else await this.#passTime();
    }
  }

  /** What every live task waits for, and who could wake it, for a report. */
  stuck(): readonly StuckTask[] {
    return [...this.#tasks.values()].map((task) => stuckIn(task, this.#tasks));
  }

  /** The same of tasks that have ended: what they have called, and left alone, and what still waits. */
  orphans(): readonly StuckTask[] {
    const left = this.#careless.filter(({ pending }) => pending.size > 0);
    return left.map((task) => stuckIn(task, this.#tasks));
  }

  /** Records the end of tasks that will not go on. */
  abandon(): void {
    for (const task of this.#tasks.values()) this.#ended(task, "leaked", undefined);
  }

  /** Leaves nothing on signals of outside, to which nobody here will listen any more. */
  untie(): void {
    for (const tie of this.signalTies) tie.release();
  }

  #takeTimers(): void {
    const { clock } = this.#options;
    if (clock.nextDueMs === undefined) return;
    for (const timer of clock.takeDue()) this.#ready.push(timer);
  }

  #push(suspension: Suspension): void {
    this.#ready.push(suspension);
    this.#wake?.();
  }

  #ended(task: SimulatedTask, how: TaskEnd, error: unknown): void {
    if (!this.#tasks.delete(task.id)) return;
    if (task.pending.size > 0) this.#careless.push(task);
    const err = error === undefined ? undefined : errorText(error);
    this.#options.tracer?.emit({ k: "task.end", how, err }, task.id);
    this.#wake?.();
  }

  /** Takes steps until nobody can go on. Callbacks and not `await`: this is what most of a simulation's time goes to. */
  #stepOn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        this.#current = undefined;
        try {
          this.#takeTimers();
          if (this.#ready.length === 0) return resolve();
          this.#resumeOne();
        } catch (error) {
          return reject(error);
        }
        if (this.steps % STEPS_A_TURN === 0) nextTurn(settled);
        else afterMicrotasks(settled);
      };
      const settled = (): void => {
        const task = this.#current;
        // What it waits for may come with a tick, and then a turn: a stream, a file that is in memory.
        if (task?.pending.size === 0 && this.#tasks.has(task.id)) afterMicrotasks(() => nextTurn(step));
        else step();
      };
      step();
    });
  }

  #resumeOne(): void {
    const { chooser, clock, enter, maxSteps } = this.#options;
    if (this.steps === maxSteps) throw new ConcurrencyError("LIMIT", `no end after ${maxSteps} steps`);
    this.steps++;
    const index = this.#ready.length === 1 ? 0 : chooser.next(this.#ready, this.#last);
    const entry = takeAt(this.#ready, index);
    enter();
    const task = entry.task as SimulatedTask | undefined;
    this.#current = task;
    this.#last = task;
    if (!("resume" in entry)) return clock.fire(entry);
    task?.pending.delete(entry);
    this.#chosen(entry, task);
    entry.resume();
  }

  #chosen(suspension: Suspension, task: SimulatedTask | undefined): void {
    if (suspension instanceof Call) {
      // A task that makes two calls without waiting for the first has still made them in that order.
      if (suspension.next !== undefined) this.#push(suspension.next);
      else if (task !== undefined) task.lastCall = undefined;
    } else if (!(suspension instanceof Start)) {
      this.#options.tracer?.emit({ k: "task.state", s: "running" }, task?.id);
    }
  }

  /** Nobody can go on: time moves to the next timer. Without one, nobody ever will. */
  async #passTime(): Promise<void> {
    const { clock } = this.#options;
    this.#outsideSinceMs = undefined;
    const dueMs = clock.nextDueMs;
    if (dueMs === undefined) throw this.#deadlock();
    const delayMs = clock.wallDelayTo(dueMs);
    const woken = delayMs > 0 && (await this.#sleep(delayMs));
    if (woken) clock.moveToWall(dueMs);
    else clock.moveTo(dueMs);
  }

  /** Some task waits for something outside: for it first, but a timer is not held back for ever. */
  async #waitOutside(): Promise<void> {
    const { clock, externalTimeoutMs } = this.#options;
    const dueMs = clock.nextDueMs;
    this.replayable = false;
    this.#outsideSinceMs ??= systemClock.now();
    const leftMs = this.#outsideSinceMs + externalTimeoutMs - systemClock.now();
    if (leftMs <= 0) throw new StalledError(this.stuck(), externalTimeoutMs);
    const graceMs = dueMs === undefined ? leftMs : Math.max(EXTERNAL_GRACE_MS, clock.wallDelayTo(dueMs));
    const woken = await this.#sleep(Math.min(leftMs, graceMs));
    if (woken) this.#outsideSinceMs = undefined;
    else if (dueMs !== undefined) clock.moveTo(dueMs);
    clock.forgetWall();
  }

  /** Waits on the machine's clock; true if somebody became ready, or ended, before that. */
  #sleep(delayMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (woken: boolean): void => {
        this.#wake = undefined;
        timer.cancel();
        resolve(woken);
      };
      const timer = systemClock.after(delayMs, () => finish(false));
      this.#wake = () => finish(true);
    });
  }

  #deadlock(): DeadlockError {
    const stuck = this.stuck();
    const error = new DeadlockError(stuck, this.#options.clock.now());
    const text = error.message;
    this.#options.tracer?.emit({ k: "deadlock", stuck: stuck.map(({ id }) => id), text });
    return error;
  }
}
