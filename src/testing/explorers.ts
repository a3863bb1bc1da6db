/**
 * Ways to go through the schedules of a program: one that is known, all, by chance, or by chance with priorities.
 */
import { MisuseError } from "../core/errors.ts";
import { pick, type Random, seededRandom } from "../core/random.ts";
import type { TaskRecord } from "../core/scheduler.ts";
import type { Outcome } from "../core/task.ts";
import { choiceOf, type Fork, RecordingChooser } from "./schedule.ts";

/** Makes the choices of one schedule after another. */
export abstract class Explorer extends RecordingChooser {
  /** Begins the next schedule; false if there is none. */
  begin(): boolean {
    this.choices.length = 0;
    return true;
  }

  /** The run has ended. Throws `MisuseError` if it was not the one that was asked for. */
  end(_outcome: Outcome<unknown>): void {}
}

/** What the program failed with is not lost. */
function misuse(text: string, outcome: Outcome<unknown>): MisuseError {
  return new MisuseError(text, outcome.ok ? undefined : { cause: outcome.error });
}

/** Takes the choices of a schedule; after the last of them, always the first way. */
export class OneSchedule extends Explorer {
  readonly #wanted: readonly number[];
  #begun = false;
  #misfit: string | undefined;

  constructor(wanted: readonly number[]) {
    super();
    this.#wanted = wanted;
  }

  override begin(): boolean {
    const first = !this.#begun;
    this.#begun = true;
    return first;
  }

  override end(outcome: Outcome<unknown>): void {
    const { length } = this.choices;
    if (length < this.#wanted.length) this.#misfit ??= `it ended after ${length} choices`;
    if (this.#misfit === undefined) return;
    throw misuse(`the schedule does not fit the program: ${this.#misfit}`, outcome);
  }

  protected choose({ count }: Fork): number {
    const at = this.choices.length;
    const choice = this.#wanted[at] ?? 0;
    if (choice < count) return choice;
    this.#misfit ??= `choice ${at} has ${count} ways and not ${choice + 1}`;
    return 0;
  }
}

/** A choice of the schedule under way. */
interface Branch {
  /** How many ways there were. */
  readonly count: number;
  /** How many of them are within the bound. */
  readonly ways: number;
  choice: number;
}

/**
 * Depth first: each schedule repeats the choices of the one before up to the last that has an untried way, and takes
 * that way. So no state of the program needs to be kept, only the path.
 */
export class AllSchedules extends Explorer {
  readonly #preemptions: number;
  readonly #path: Branch[] = [];
  #used = 0;
  #begun = false;
  #misfit: string | undefined;

  /** With at most so many preemptions in a schedule. */
  constructor(preemptions: number) {
    super();
    this.#preemptions = preemptions;
  }

  override begin(): boolean {
    if (this.#begun && !this.#advance()) return false;
    this.#begun = true;
    this.#used = 0;
    return super.begin();
  }

  override end(outcome: Outcome<unknown>): void {
    const { length } = this.choices;
    if (length < this.#path.length) this.#misfit ??= `choice ${length} was not there again`;
    if (this.#misfit === undefined) return;
    throw misuse(
      `the program does not repeat itself: ${this.#misfit}. ` +
        "It must make everything it uses anew, and take time and chance from this library",
      outcome,
    );
  }

  protected choose({ count, straight }: Fork): number {
    const at = this.choices.length;
    const branch = (this.#path[at] ??= { count, ways: this.#waysOf(count, straight), choice: 0 });
    if (branch.count !== count) this.#misfit ??= `choice ${at} had ${branch.count} ways and now has ${count}`;
    const choice = Math.min(branch.choice, count - 1);
    if (straight > 0 && choice >= straight) this.#used++;
    return choice;
  }

  #waysOf(count: number, straight: number): number {
    return straight > 0 && this.#used >= this.#preemptions ? straight : count;
  }

  #advance(): boolean {
    for (let last = this.#path.at(-1); last !== undefined; last = this.#path.at(-1)) {
      if (++last.choice < last.ways) return true;
      this.#path.pop();
    }
    return false;
  }
}

/** Every way has the same chance. */
export class RandomSchedules extends Explorer {
  readonly #random: Random;

  constructor(seed: number) {
    super();
    this.#random = seededRandom(seed, 1);
  }

  protected choose({ count }: Fork): number {
    return pick(this.#random, count);
  }
}

/**
 * Each task has a priority by chance, and the highest that is ready goes on. At `depth - 1` choices of each schedule, by
 * chance too, who would have gone on falls below all others.
 */
export class PrioritySchedules extends Explorer {
  readonly #random: Random;
  readonly #depth: number;
  readonly #priorities = new Map<TaskRecord | undefined, number>();
  /** The choices at which somebody falls, and how low: below 0, where nobody begins. */
  readonly #falls = new Map<number, number>();
  #at = 0;
  /** The most choices between tasks that a schedule has had. */
  #longest = 1;

  constructor(seed: number, depth: number) {
    super();
    this.#random = seededRandom(seed, 1);
    this.#depth = depth;
  }

  override begin(): boolean {
    this.#longest = Math.max(this.#longest, this.#at);
    this.#at = 0;
    this.#priorities.clear();
    this.#falls.clear();
    for (let n = 1; n < this.#depth; n++) this.#falls.set(pick(this.#random, this.#longest), -n);
    return super.begin();
  }

  protected choose(fork: Fork): number {
    const { candidates, count } = fork;
    if (candidates === undefined) return pick(this.#random, count);
    const fall = this.#falls.get(this.#at++);
    if (fall !== undefined) this.#priorities.set(candidates[this.#highest(fork)]?.task, fall);
    return choiceOf(fork, this.#highest(fork));
  }

  #highest({ candidates = [] }: Fork): number {
    let highest = 0;
    let top = Number.NEGATIVE_INFINITY;
    for (const [index, { task }] of candidates.entries()) {
      const priority = this.#priorityOf(task);
      if (priority <= top) continue;
      highest = index;
      top = priority;
    }
    return highest;
  }

  #priorityOf(task: TaskRecord | undefined): number {
    const known = this.#priorities.get(task);
    if (known !== undefined) return known;
    const drawn = this.#random.next();
    this.#priorities.set(task, drawn);
    return drawn;
  }
}
