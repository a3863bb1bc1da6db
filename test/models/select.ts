import { Channel } from "concurrency-model-patterns/channel";
import { receive, select, send, trySelect } from "concurrency-model-patterns/select";
import * as fc from "fast-check";
import { Ends, type Model, type Subject } from "./harness.ts";

/** A case: sends or receives on one of two channels. */
interface Case {
  readonly send: boolean;
  readonly on: 0 | 1;
}

export type SelectCommand =
  | { readonly do: "select" | "try"; readonly cases: readonly Case[] }
  | { readonly do: "close"; readonly on: 0 | 1 };

interface Line {
  buffer: number[];
  closed: boolean;
}

/** One list of those who wait; the first who can go on with a case does. Cases are looked at in their order. */
class SelectModel extends Ends implements Model<SelectCommand> {
  readonly #capacity: number;
  readonly #lines: readonly [Line, Line] = [
    { buffer: [], closed: false },
    { buffer: [], closed: false },
  ];
  #waiting: { readonly id: number; readonly cases: readonly Case[] }[] = [];

  constructor(capacity: number) {
    super();
    this.#capacity = capacity;
  }

  apply(command: SelectCommand, id: number): void {
    if (command.do === "close") return this.#close(command.on, id);
    for (const [index, one] of command.cases.entries()) {
      if (this.#goesOn(id, index, one)) return;
    }
    if (command.do === "try") this.end(id, "nothing");
    else this.#waiting.push({ id, cases: command.cases });
  }

  leave(id: number): void {
    this.#waiting = this.#waiting.filter((waiter) => waiter.id !== id);
  }

  look(): unknown {
    const waits = (on: 0 | 1, send: boolean): number =>
      this.#waiting.flatMap(({ cases }) => cases.filter((one) => one.on === on && one.send === send)).length;
    return ([0, 1] as const).map((on) => [this.#lines[on].buffer.length, waits(on, true), waits(on, false)]);
  }

  #goesOn(id: number, index: number, { send: sends, on }: Case): boolean {
    const line = this.#lines[on];
    const partner = this.#takePartner({ send: !sends, on });
    if (sends) {
      if (line.closed) this.end(id, "closed");
      else if (partner !== undefined) this.end(partner.id, `${partner.index} got ${id}`);
      else if (line.buffer.length < this.#capacity) line.buffer.push(id);
      else return false;
      this.end(id, `${index} sent`);
      return true;
    }
    if (partner !== undefined) {
      line.buffer.push(partner.id);
      this.end(partner.id, `${partner.index} sent`);
    }
    if (line.buffer.length > 0) this.end(id, `${index} got ${line.buffer.shift()}`);
    else if (line.closed) this.end(id, `${index} done`);
    else return false;
    return true;
  }

  /** Of those who wait with such a case, the one who came first; it waits no more. */
  #takePartner(wanted: Case): { readonly id: number; readonly index: number } | undefined {
    for (const { id, cases } of this.#waiting) {
      const index = cases.findIndex(({ send: sends, on }) => sends === wanted.send && on === wanted.on);
      if (index < 0) continue;
      this.leave(id);
      return { id, index };
    }
    return undefined;
  }

  #close(on: 0 | 1, id: number): void {
    this.end(id, this.#lines[on].closed ? "misuse" : "undefined");
    this.#lines[on].closed = true;
    for (
      let waiter = this.#takePartner({ send: false, on });
      waiter;
      waiter = this.#takePartner({ send: false, on })
    )
      this.end(waiter.id, `${waiter.index} done`);
    for (
      let waiter = this.#takePartner({ send: true, on });
      waiter;
      waiter = this.#takePartner({ send: true, on })
    )
      this.end(waiter.id, "closed");
  }
}

const one = fc.record({ send: fc.boolean(), on: fc.constantFrom(0 as const, 1 as const) });

export const selectSubject: Subject<number, SelectCommand> = {
  setup: fc.nat(2),
  command: fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({
        do: fc.constantFrom("select" as const, "select" as const, "try" as const),
        cases: fc.uniqueArray(one, {
          minLength: 1,
          maxLength: 3,
          selector: ({ send: s, on }) => `${s} ${on}`,
        }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("close" as const),
        on: fc.constantFrom(0 as const, 1 as const),
      }),
    },
  ),
  model: (capacity) => new SelectModel(capacity),
  real: (capacity) => {
    const channels = [new Channel<number>(capacity), new Channel<number>(capacity)] as const;
    return {
      async apply(command, { signal }, id) {
        if (command.do === "close") return channels[command.on].close();
        const entries = command.cases.map(({ send: sends, on }, index) => {
          const channel = channels[on];
          return [`${index}`, sends ? send(channel, id) : receive(channel)] as const;
        });
        const cases = Object.fromEntries(entries);
        const chosen =
          command.do === "try"
            ? trySelect(cases, { order: "priority" })
            : await select(cases, { order: "priority", signal });
        if (chosen === undefined) return "nothing";
        const { key, done, value }: { key: string; done?: boolean; value?: number | undefined } = chosen;
        if (done === undefined) return `${key} sent`;
        return done ? `${key} done` : `${key} got ${value}`;
      },
      look: () =>
        channels.map((channel) => [channel.size, channel.waiting.senders, channel.waiting.receivers]),
    };
  },
};
