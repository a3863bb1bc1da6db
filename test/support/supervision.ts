/** What the tests of the supervisor share: children, and a trail of what happened to them. */
import { withTimeout } from "concurrency-model-patterns/context";
import {
  type ChildContext,
  type ChildSpec,
  Supervisor,
  type SupervisorChildSpec,
  type SupervisorEvent,
  type SupervisorOptions,
} from "concurrency-model-patterns/supervisor";
import { simulate } from "concurrency-model-patterns/testing";
import { now, sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";

/** What a promise gives: its value in an object, or its error. */
export const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );

/** A signal that aborts by the time of the simulation. */
export const signalAt = (ms: number): AbortSignal => withTimeout({}, ms).ctx.signal;

/** A line for each event, with the virtual time at which it came. */
export class Trail {
  readonly lines: string[] = [];
  readonly events: SupervisorEvent[] = [];
  readonly onEvent = (event: SupervisorEvent): void => {
    this.events.push(event);
    this.lines.push(`${now()} ${event.type} ${event.id}`);
  };
}

/** Several lines of a trail at once. */
export const steps = (...lines: string[]): string[] => lines.flatMap((line) => line.split(", "));

/** Lives until it is stopped. */
export const idle = ({ ctx }: ChildContext): Promise<void> => sleep(Number.POSITIVE_INFINITY, ctx);

/** Lives `lifeMs`, the first life `lifeMs[0]` and so on, then fails; after the last, until it is stopped. */
export const failing =
  (...lifeMs: number[]) =>
  async ({ ctx, restarts }: ChildContext): Promise<void> => {
    await sleep(lifeMs[restarts] ?? Number.POSITIVE_INFINITY, ctx);
    throw new Error(`failure ${restarts + 1}`);
  };

/** Supervises in a simulation, and leaves the block at the end of `body`. */
export async function run(
  children: readonly (ChildSpec | SupervisorChildSpec)[],
  options: SupervisorOptions,
  body: (supervisor: Supervisor) => Promise<void>,
  seed = 1,
): Promise<Trail> {
  const trail = new Trail();
  await simulate(
    async () => {
      const supervisor = new Supervisor(children, { onEvent: trail.onEvent, ...options });
      await body(supervisor);
      await supervisor[Symbol.asyncDispose]();
      expect(supervisor.active).toBe(0);
    },
    { seed },
  );
  return trail;
}

/** Stops after so long. */
export const stopAt = (ms: number) => async (supervisor: Supervisor) => {
  await sleep(ms);
  await supervisor.stop();
};

/** Three children. */
export const abc = (start: Partial<Record<"a" | "b" | "c", ChildSpec["start"]>> = {}): ChildSpec[] =>
  (["a", "b", "c"] as const).map((id) => ({ id, start: start[id] ?? idle }));
