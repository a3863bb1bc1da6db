/**
 * Runs commands on a primitive and on a model of it, side by side, and compares after each what can be seen: which calls
 * have ended, and how, and what the getters say.
 *
 * A command that waits is a call: it has the number of its command, and a context of its own by which it can be given
 * up. In the end all that still wait are, so every call is seen to settle.
 */
import {
  type CancelableContext,
  background,
  type Context,
  withCancel,
} from "concurrency-model-patterns/context";
import { ConcurrencyError } from "concurrency-model-patterns/errors";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";

/** What is as simple as can be, and right for that. */
export interface Model<C> {
  /** The calls that have ended, and how. */
  readonly ended: ReadonlyMap<number, string>;
  /** Does a command at once. One that waits has not ended its call when this returns. */
  apply(command: C, id: number): void;
  /** A call that waits leaves, and ends as `canceled` if this does not say otherwise. */
  leave(id: number): void;
  look(): unknown;
  /** A millisecond has passed, as it does after each command. */
  pass(): void;
  end(id: number, how: unknown): void;
}

/** Keeps how calls have ended: the first word counts. */
export class Ends {
  readonly ended = new Map<number, string>();

  pass(): void {}

  end(id: number, how: unknown): void {
    if (!this.ended.has(id)) this.ended.set(id, String(how));
  }
}

/** The primitive. */
export interface Real<C> {
  /** Does a command, or begins to: what it gives is shown as a text. */
  apply(command: C, ctx: Context, id: number): unknown;
  look(): unknown;
  /** Leaves nothing behind. */
  dispose?(): void;
}

/** What is proved: commands, and the two sides that must agree about them. `setup` differs from run to run. */
export interface Subject<S, C> {
  readonly setup: fc.Arbitrary<S>;
  readonly command: fc.Arbitrary<C>;
  /** Tasks that can go on at the same time do so in their order, where a model cannot know another. */
  readonly inOrder?: boolean;
  model(setup: S): Model<C>;
  /** Called in a simulation. */
  real(setup: S): Real<C>;
}

/** Gives up the call that has waited so long, counted from the first, round and round. */
interface GiveUp {
  readonly giveUp: number;
}

/** The calls of the primitive. */
class Calls {
  readonly ended = new Map<number, string>();
  readonly #scopes = new Map<number, CancelableContext>();

  begin(id: number, call: (ctx: Context) => unknown): void {
    const scope = withCancel(background);
    this.#scopes.set(id, scope);
    const end = (how: string): void => {
      if (this.ended.has(id)) throw new Error(`call ${id} has ended twice`);
      this.ended.set(id, how);
      scope.cancel();
      this.#scopes.delete(id);
    };
    new Promise((resolve) => {
      resolve(call(scope.ctx));
    }).then(
      (value) => end(String(value)),
      (error: unknown) => end(errorWord(error)),
    );
  }

  giveUp(id: number): void {
    this.#scopes.get(id)?.cancel();
  }
}

export function errorWord(error: unknown): string {
  if (error instanceof ConcurrencyError) return error.code.toLowerCase();
  return error instanceof Error ? error.name : String(error);
}

async function runCommands<S, C>(
  subject: Subject<S, C>,
  setup: S,
  commands: readonly (C | GiveUp)[],
): Promise<void> {
  const [model, real, calls] = [subject.model(setup), subject.real(setup), new Calls()];
  const trail: string[] = [];
  const agree = async (): Promise<void> => {
    await sleep(1);
    model.pass();
    compare({ calls: model.ended, look: model.look() }, { calls: calls.ended, look: real.look() }, trail);
  };
  const giveUp = (id: number): void => {
    model.leave(id);
    model.end(id, "canceled");
    calls.giveUp(id);
  };
  let next = 0;
  const waiting = (): number[] => [...Array(next).keys()].filter((id) => !model.ended.has(id));
  for (const command of commands) {
    trail.push(JSON.stringify(command));
    const given = isGiveUp(command) ? waiting() : [];
    if (!isGiveUp(command)) {
      const id = next++;
      model.apply(command, id);
      calls.begin(id, (ctx) => real.apply(command, ctx, id));
    } else if (given.length > 0) giveUp(given[command.giveUp % given.length] as number);
    await agree();
  }
  trail.push("all are given up");
  for (const id of waiting()) giveUp(id);
  await agree();
  real.dispose?.();
}

function isGiveUp(command: unknown): command is GiveUp {
  return Object.hasOwn(command as object, "giveUp");
}

interface Seen {
  readonly calls: ReadonlyMap<number, string>;
  readonly look: unknown;
}

function compare(model: Seen, real: Seen, trail: readonly string[]): void {
  const text = ({ calls, look }: Seen): string =>
    `${JSON.stringify(look)} ${[...calls].toSorted(([a], [b]) => a - b).join(" ")}`;
  if (text(model) === text(real)) return;
  throw new Error(`after ${trail.join(" ")}\n  model: ${text(model)}\n  real:  ${text(real)}`);
}

/** How a subject is tried. */
export interface Trial {
  readonly seed: number;
  /** How many commands at least, over all runs. */
  readonly commands: number;
}

/** Tries a subject, and gives how many commands were run. A failure is the smallest that was found, with its seed. */
export async function agrees<S, C>(subject: Subject<S, C>, { seed, commands }: Trial): Promise<number> {
  const done = { commands: 0 };
  const giveUp = fc.record({ giveUp: fc.nat(7) });
  const lists = fc.array(
    fc.oneof({ weight: 6, arbitrary: subject.command }, { weight: 1, arbitrary: giveUp }),
    {
      minLength: 1,
      maxLength: 60,
      size: "max",
    },
  );
  for (let round = 0; done.commands < commands; round++) {
    const property = fc.asyncProperty(subject.setup, lists, fc.nat(0xffff), async (setup, list, order) => {
      done.commands += list.length;
      const options = subject.inOrder === true ? { schedule: `${order}:` } : { seed: order };
      await simulate(() => runCommands(subject, setup, list), options);
    });
    await fc.assert(property, { seed: seed + round, numRuns: 50 });
  }
  return done.commands;
}

/** The element at `index`, counted round and round. */
export function pickAt<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}
