/**
 * A schedule: the choices of one run, in a form that is short to print and that replays it.
 *
 * Choice 0 goes on with the task that went on last, if it can; so what is not 0 is where the run changed hands. A text is
 * the seed, a colon, and for each choice that is not 0 the number of zeros before it and a letter: `0:4a2b` is seed 0,
 * four times straight on, then the first other way, twice straight on, then the second; and straight on to the end.
 */
import type { TaskRecord } from "../core/scheduler.ts";
import type { Candidate, Chooser } from "./chooser.ts";

/** What a schedule says. */
export interface Schedule {
  /** Of the program's own chance. */
  readonly seed: number;
  readonly choices: readonly number[];
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** A schedule as a text. */
export function formatSchedule({ seed, choices }: Schedule): string {
  let text = `${seed}:`;
  let zeros = 0;
  for (const choice of choices) {
    if (choice === 0) {
      zeros++;
      continue;
    }
    text += `${zeros === 0 ? "" : zeros}${LETTERS[choice - 1] ?? `(${choice})`}`;
    zeros = 0;
  }
  return text;
}

/** The schedule that a text says; a TypeError if it says none. */
export function parseSchedule(text: unknown): Schedule {
  const [, seed, moves = ""] = /^(\d{1,10}):((?:\d{0,9}(?:[a-z]|\(\d{1,9}\)))*)$/.exec(String(text)) ?? [];
  if (typeof text !== "string" || seed === undefined || Number(seed) > 0xffff_ffff) {
    throw new TypeError(`schedule must be a text that explore has printed, got ${JSON.stringify(text)}`);
  }
  const choices: number[] = [];
  for (const [, zeros, letter = "", number] of moves.matchAll(/(\d*)(?:([a-z])|\((\d+)\))/g)) {
    for (let left = Number(zeros); left > 0; left--) choices.push(0);
    choices.push(number === undefined ? LETTERS.indexOf(letter) + 1 : Number(number));
  }
  return { seed: Number(seed), choices };
}

/** Something to choose among. */
export interface Fork {
  /** How many ways there are. */
  readonly count: number;
  /** How many of the first ways go on with the task that went on last; 0 if it cannot, or if nobody is scheduled. */
  readonly straight: number;
  /** Who would go on, in the order of the list of those who are ready; undefined if a select chooses. */
  readonly candidates: readonly Candidate[] | undefined;
  readonly last: TaskRecord | undefined;
}

/** Makes choices that mean the same in every run, and writes them down. */
export abstract class RecordingChooser implements Chooser {
  /** The choices so far. */
  readonly choices: number[] = [];

  next(candidates: readonly Candidate[], last: TaskRecord | undefined): number {
    let straight = 0;
    for (const { task } of candidates) if (task !== undefined && task === last) straight++;
    const choice = this.#record({ count: candidates.length, straight, candidates, last });
    return indexOf(candidates, last, choice, straight);
  }

  among(count: number): number {
    return this.#record({ count, straight: 0, candidates: undefined, last: undefined });
  }

  /** Which way to take: a number in `[0, fork.count)`. */
  protected abstract choose(fork: Fork): number;

  #record(fork: Fork): number {
    const choice = this.choose(fork);
    this.choices.push(choice);
    return choice;
  }
}

/** The entries of the last task come first, then the others, both in the order of the list. */
function indexOf(
  candidates: readonly Candidate[],
  last: TaskRecord | undefined,
  choice: number,
  straight: number,
): number {
  if (straight === 0) return choice;
  const own = choice < straight;
  let left = own ? choice : choice - straight;
  for (let index = 0; index < candidates.length; index++) {
    if ((candidates[index]?.task === last) === own && left-- === 0) return index;
  }
  throw new RangeError(`no way ${choice}`);
}

/** The choice that takes the candidate at `index`. */
export function choiceOf({ candidates = [], last, straight }: Fork, index: number): number {
  if (straight === 0) return index;
  let own = 0;
  for (let before = 0; before < index; before++) if (candidates[before]?.task === last) own++;
  return candidates[index]?.task === last ? own : straight + index - own;
}
