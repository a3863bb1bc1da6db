import { sleep, Ticker } from "concurrency-model-patterns/timers";
import * as fc from "fast-check";
import { Ends, type Model, type Subject } from "./harness.ts";

/** Whole milliseconds and a half: nothing is due at the instant of a command. */
export type TimersCommand =
  | { readonly do: "sleep"; readonly ms: number }
  | { readonly do: "tick" | "tryTick" | "stop" };

class TimersModel extends Ends implements Model<TimersCommand> {
  readonly #intervalMs: number;
  readonly #sleeps = new Map<number, number>();
  #receivers: number[] = [];
  #nowMs = 0;
  #nextTickMs: number;
  #stopped = false;
  #kept: number | undefined;

  constructor(intervalMs: number) {
    super();
    this.#intervalMs = intervalMs;
    this.#nextTickMs = intervalMs;
  }

  apply(command: TimersCommand, id: number): void {
    if (command.do === "sleep") return void this.#sleeps.set(id, this.#nowMs + command.ms);
    if (command.do === "stop") {
      this.#stopped = true;
      return this.end(id, "undefined");
    }
    if (this.#kept !== undefined) {
      this.end(id, this.#kept);
      this.#kept = undefined;
    } else if (command.do === "tick") this.#receivers.push(id);
    else this.end(id, "nothing");
  }

  leave(id: number): void {
    this.#sleeps.delete(id);
    this.#receivers = this.#receivers.filter((receiver) => receiver !== id);
  }

  override pass(): void {
    this.#nowMs++;
    for (const [id, dueMs] of this.#sleeps) if (dueMs < this.#nowMs) this.end(id, "undefined");
    for (; this.#nextTickMs < this.#nowMs && !this.#stopped; this.#nextTickMs += this.#intervalMs) {
      const receiver = this.#receivers.shift();
      if (receiver === undefined) this.#kept ??= this.#nextTickMs;
      else this.end(receiver, this.#nextTickMs);
    }
  }

  look(): unknown {
    return this.#nowMs;
  }
}

export const timersSubject: Subject<number, TimersCommand> = {
  setup: fc.integer({ min: 1, max: 7 }).map((n) => n * Math.SQRT1_2),
  command: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant("sleep" as const), ms: fc.nat(30).map((n) => n + 0.5) }),
    },
    {
      weight: 5,
      arbitrary: fc.constantFrom("tick" as const, "tryTick" as const).map((word) => ({ do: word })),
    },
    { weight: 1, arbitrary: fc.constant({ do: "stop" as const }) },
  ),
  model: (intervalMs) => new TimersModel(intervalMs),
  real: (intervalMs) => {
    const ticker = new Ticker(intervalMs);
    let nowMs = 0;
    return {
      apply(command, ctx) {
        if (command.do === "sleep") return sleep(command.ms, ctx);
        if (command.do === "stop") return ticker.stop();
        if (command.do === "tick") return ticker.receive(ctx).then(({ value }) => value);
        return ticker.tryReceive()?.value ?? "nothing";
      },
      look: () => ++nowMs,
      dispose: () => ticker.stop(),
    };
  },
};
