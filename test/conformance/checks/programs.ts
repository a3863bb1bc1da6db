/**
 * Random programs: many callers make calls of every kind at once, and some of them change their minds, while the thing
 * may be closed at any moment. Whatever happens, the promises hold.
 */
import { background, withCancel, withTimeout } from "concurrency-model-patterns/context";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import type { RunEvent } from "concurrency-model-patterns/testing";
import { simulate } from "concurrency-model-patterns/testing";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import type { Clock, Timer } from "../../../src/core/clock.ts";
import { seededRandom } from "../../../src/core/random.ts";
import { currentRuntime, useRuntime } from "../../../src/core/runtime.ts";
import { overSeeds } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { type Ended, ended } from "../../support/outcomes.ts";
import { below, type Crowd, type Party, type Subject } from "../subject.ts";
import { type Check, checksFor, plain, SEEDS } from "./check.ts";

const CALLERS = 8;
const ROUNDS = 2;

export function programChecks({ crowds, simulated }: Subject): readonly Check[] {
  return checksFor(crowds, (makeCrowd) => {
    const program = (): Promise<void> => runProgram(makeCrowd);
    const plainly: Check = {
      name: "keeps the promises in random programs",
      promises: [1, 2, 3, 4, 7],
      run: () => overSeeds(SEEDS, (seed) => inPlain(seed, program)),
    };
    const inSimulation: Check = {
      name: "keeps them in simulations, which the seed repeats event for event",
      promises: [9],
      run: () => inSimulations(program),
    };
    return simulated === false ? [plainly] : [plainly, inSimulation];
  });
}

/** What may end a call, as its caller sees it. */
interface Patience {
  readonly options: CancelOptions;
  /** Why the caller has given up; undefined if it has not. */
  reason(): unknown;
  /** Leaves nothing of it, and fails if the call has. */
  done(): void;
}

/** Each way of giving up: not at all, before, by a signal, by a context, by a deadline. */
function patienceOf(callers: TaskGroup): Patience {
  const reason = new Error("changed its mind");
  const later = (cancel: (reason: unknown) => void): void => {
    const delayMs = below(6);
    callers.go(async () => {
      await sleep(delayMs);
      cancel(reason);
    });
  };
  switch (below(6)) {
    case 0:
      return bySignal(AbortSignal.abort(reason));
    case 1: {
      const controller = new AbortController();
      later((why) => controller.abort(why));
      return bySignal(controller.signal);
    }
    case 2: {
      const { ctx, cancel } = withCancel(background);
      later(cancel);
      return { options: ctx, reason: () => ctx.cause, done: () => {} };
    }
    case 3: {
      const { ctx, cancel } = withTimeout(background, below(6));
      return { options: ctx, reason: () => ctx.cause, done: () => cancel() };
    }
    default:
      return bySignal(new AbortController().signal);
  }
}

function bySignal(signal: AbortSignal): Patience {
  return {
    options: { signal },
    reason: () => signal.reason as unknown,
    done: () => expect(listenersOf(signal), "promise 4: a settled call has left its signal").toBe(0),
  };
}

/** Makes one call, and looks at how it ended. */
async function callOnce(crowd: Crowd, party: Party, n: number, patience: Patience): Promise<Ended> {
  const before = patience.reason();
  const end = await ended(party.call(n, patience.options));
  const reason = patience.reason();
  patience.done();
  if ("error" in end) {
    const known = (reason !== undefined && end.error === reason) || crowd.explains(end.error, n);
    if (!known)
      throw new Error(`promise 7: ${party.name} ended with ${String(end.error)}`, { cause: end.error });
  }
  if (before !== undefined && party.refusesFirst !== true)
    expect(end, "promise 7: a cancelled call fails with its reason").toEqual({ error: before });
  return end;
}

/** One program, in the runtime that is current, with chance from it. Fails if a promise is broken. */
async function runProgram(makeCrowd: () => Crowd): Promise<void> {
  const crowd = makeCrowd();
  const callers = new TaskGroup({ errors: "collect", name: "caller" });
  let made = 0;
  let settled = 0;
  const caller = async (n: number): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(below(6));
      crowd.checkBounds();
      const party = crowd.parties[below(crowd.parties.length)] as Party;
      made++;
      await callOnce(crowd, party, n, patienceOf(callers));
      settled++;
      crowd.checkBounds();
    }
  };
  for (let n = 0; n < (crowd.callers ?? CALLERS); n++) callers.go(() => caller(n));
  await sleep(below(30));
  if (below(2) === 0) crowd.close?.();
  await sleep(30);
  await allInTime(crowd, callers);
  expect(settled, "promise 1: every call settles").toBe(made);
  crowd.checkAccounts();
}

/** Ends the crowd while calls still wait, and waits for all. */
async function allInTime(crowd: Crowd, callers: TaskGroup): Promise<void> {
  const over = callers.go(async () => {
    await crowd.end();
  });
  await over.join();
  await callers.wait().catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
}

/** A clock that knows which of its timers are set. */
function watched(clock: Clock): { readonly clock: Clock; readonly set: ReadonlySet<Timer> } {
  const set = new Set<Timer>();
  const after = (delayMs: number, callback: () => void): Timer => {
    const timer = clock.after(delayMs, () => {
      set.delete(own);
      callback();
    });
    const own: Timer = {
      cancel: () => {
        set.delete(own);
        timer.cancel();
      },
    };
    set.add(own);
    return own;
  };
  return { clock: { now: () => clock.now(), after }, set };
}

/** Runs a program in the plain runtime, with chance from a seed. No timer may be left. */
async function inPlain(seed: number, program: () => Promise<void>): Promise<void> {
  await plain(async () => {
    const { clock, set } = watched(currentRuntime().clock);
    useRuntime({ clock, random: seededRandom(seed) });
    await program();
    expect(set.size, "promise 4: no timer is left").toBe(0);
  });
}

/** Runs a program in a simulation. No timer may be left, and it must be replayable. Gives its log, but for the seed. */
async function inSimulation(seed: number, program: () => Promise<void>): Promise<string> {
  const events: RunEvent[] = [];
  const { replayable } = await simulate(program, { seed, onEvent: (event) => events.push(event) });
  const timers = new Set<number>();
  for (const event of events) {
    if (event.k === "timer.set") timers.add(event.id);
    if (event.k === "timer.fire" || event.k === "timer.clear") timers.delete(event.id);
  }
  expect([...timers], "promise 4: no timer is left").toEqual([]);
  expect(replayable, "promise 9: the program is replayable").toBe(true);
  return JSON.stringify(events.slice(1));
}

async function inSimulations(program: () => Promise<void>): Promise<void> {
  const logs = new Set<string>();
  await overSeeds(SEEDS, async (seed) => void logs.add(await inSimulation(seed, program)));
  expect(logs.size, "promise 9: another seed, another log").toBe(SEEDS);
  logs.add(await inSimulation(0, program));
  expect(logs.size, "promise 9: the same seed, the same log").toBe(SEEDS);
}
