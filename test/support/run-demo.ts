/** Runs a demo in virtual time and gives its transcript, with the time in milliseconds at which each line came. */
import type { Demo, DemoRun } from "../../examples/demo.ts";
import type { ParameterTable, ParameterValues } from "../../examples/parameters.ts";
import { log, random, type RunEvent, simulate } from "concurrency-model-patterns/testing";
import { now } from "concurrency-model-patterns/timers";

export interface Transcript {
  readonly lines: readonly string[];
  readonly times: readonly number[];
  readonly elapsedMs: number;
  readonly events: readonly RunEvent[];
}

export async function runDemo<T extends ParameterTable>(
  demo: Demo<T>,
  seed: number,
  overrides: Partial<ParameterValues<T>> = {},
): Promise<Transcript> {
  const defaults = Object.fromEntries(
    Object.entries(demo.parameters).map(([name, parameter]) => [
      name,
      "default" in parameter ? parameter.default : undefined,
    ]),
  );
  const params = { ...defaults, ...overrides } as ParameterValues<T>;
  const events: RunEvent[] = [];
  const { elapsedMs } = await simulate(
    (ctx) => {
      const run: DemoRun<T> = {
        params,
        ctx,
        print: (text = "") => log(text),
        between: (min, below) => min + Math.floor(random() * (below - min)),
        timeOfDay: () => new Date(Date.UTC(2006, 0, 2, 15, 4, 5) + now()).toISOString().slice(11, 23),
      };
      return demo.run(run);
    },
    { seed, onEvent: (event) => events.push(event) },
  );
  const printed = events.filter((event) => event.k === "log");
  const lines = printed.map((event) => event.text);
  return { lines, times: printed.map((event) => event.t / 1000), elapsedMs, events };
}
