import { Channel, type OverflowPolicy } from "concurrency-model-patterns/channel";
import { receiveMany } from "concurrency-model-patterns/receive-many";
import * as fc from "fast-check";
import { Ends, type Model, type Subject } from "./harness.ts";

type Policy = "block" | "drop-oldest" | "drop-newest" | "error" | "conflate";

export type ChannelCommand =
  | { readonly do: "send" | "trySend" | "receive" | "tryReceive" | "close" | "fail" }
  | { readonly do: "many"; readonly max: number; readonly min: number };

interface Setup {
  readonly capacity: number;
  readonly policy: Policy;
}

/** Waits to receive: one value, or at least `min` of them. */
interface Receiver {
  readonly id: number;
  readonly many?: { readonly max: number; readonly min: number; readonly got: number[] };
}

const shown = (value: number | undefined, done: boolean | undefined): string =>
  done === true ? "done" : `${value}`;

/** The number of its command is a value. */
class ChannelModel extends Ends implements Model<ChannelCommand> {
  readonly #setup: Setup;
  #buffer: number[] = [];
  #senders: number[] = [];
  #receivers: Receiver[] = [];
  #end: "open" | "closed" | "failed" = "open";
  #dropped = 0;

  constructor(setup: Setup) {
    super();
    this.#setup = setup;
  }

  apply(command: ChannelCommand, id: number): void {
    switch (command.do) {
      case "send":
      case "trySend":
        return this.#send(id, command.do === "trySend");
      case "receive":
        return this.#receive({ id });
      case "tryReceive":
        return this.end(id, this.#hasNext ? this.#next() : this.#end === "open" ? "nothing" : this.#atEnd);
      case "many":
        return this.#receive({ id, many: { max: command.max, min: command.min, got: [] } });
      case "close":
      case "fail":
        return this.#close(id, command.do === "close" ? "closed" : "failed");
    }
  }

  leave(id: number): void {
    const got = this.#receivers.find((receiver) => receiver.id === id)?.many?.got ?? [];
    if (got.length > 0) this.end(id, `[${got.join()}]`);
    this.#senders = this.#senders.filter((sender) => sender !== id);
    this.#receivers = this.#receivers.filter((receiver) => receiver.id !== id);
  }

  look(): unknown {
    const waiting = [this.#senders.length, this.#receivers.length];
    return [this.#buffer.length, ...waiting, this.#end !== "open", this.#dropped];
  }

  get #hasNext(): boolean {
    return this.#buffer.length + this.#senders.length > 0;
  }

  get #atEnd(): string {
    return this.#end === "failed" ? "Error" : "done";
  }

  #send(id: number, now: boolean): void {
    if (this.#end !== "open") return this.end(id, "closed");
    const said = (sent: boolean): void => this.end(id, now ? sent : "undefined");
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) {
      said(true);
      return this.#deliver(receiver, id);
    }
    if (this.#buffer.length < this.#setup.capacity) {
      this.#buffer.push(id);
      return said(true);
    }
    if (this.#setup.policy !== "block") return this.#overflow(id, said);
    if (now) said(false);
    else this.#senders.push(id);
  }

  #overflow(id: number, said: (sent: boolean) => void): void {
    const { policy } = this.#setup;
    if (policy === "error") return this.end(id, "full");
    this.#dropped++;
    if (policy === "drop-oldest") this.#buffer = [...this.#buffer.slice(1), id];
    if (policy === "conflate") this.#buffer.push((this.#buffer.pop() ?? 0) * 100 + id);
    said(policy !== "drop-newest");
  }

  #next(): number {
    if (this.#senders.length > 0) {
      const sender = this.#senders.shift() as number;
      this.#buffer.push(sender);
      this.end(sender, "undefined");
    }
    return this.#buffer.shift() as number;
  }

  #receive(receiver: Receiver): void {
    if (this.#hasNext) this.#deliver(receiver, this.#next());
    else if (this.#end === "open") this.#receivers.push(receiver);
    else this.#tellEnd(receiver);
  }

  #deliver(receiver: Receiver, value: number): void {
    const { id, many } = receiver;
    if (many === undefined) return this.end(id, value);
    many.got.push(value);
    while (many.got.length < many.max && this.#hasNext) many.got.push(this.#next());
    if (many.got.length < many.min) this.#receive(receiver);
    else this.end(id, `[${many.got.join()}]`);
  }

  #tellEnd({ id, many }: Receiver): void {
    const none = many === undefined || (many.got.length === 0 && this.#end === "failed");
    this.end(id, none ? this.#atEnd : `[${many.got.join()}]`);
  }

  #close(id: number, end: "closed" | "failed"): void {
    if (this.#end !== "open") return this.end(id, "misuse");
    this.#end = end;
    for (const receiver of this.#receivers.splice(0)) this.#tellEnd(receiver);
    for (const sender of this.#senders.splice(0)) this.end(sender, "closed");
    this.end(id, "undefined");
  }
}

const policyOf = (policy: Policy): OverflowPolicy<number> =>
  policy === "conflate" ? { conflate: (older, newer) => older * 100 + newer } : policy;

const word = (name: ChannelCommand["do"]): fc.Arbitrary<ChannelCommand> =>
  fc.constant({ do: name } as ChannelCommand);
const many = fc
  .record({ do: fc.constant("many" as const), max: fc.integer({ min: 1, max: 4 }), least: fc.nat(3) })
  .map(({ max, least, ...rest }) => ({ ...rest, max, min: Math.min(max, least + 1) }));

export const channelSubject: Subject<Setup, ChannelCommand> = {
  setup: fc
    .record({
      capacity: fc.nat(3),
      policy: fc.constantFrom<Policy>("block", "drop-oldest", "drop-newest", "error", "conflate"),
    })
    .map(({ capacity, policy }) => {
      const needsRoom = policy === "drop-oldest" || policy === "conflate";
      return { policy, capacity: needsRoom ? Math.max(1, capacity) : capacity };
    }),
  command: fc.oneof(
    { weight: 10, arbitrary: word("send") },
    { weight: 3, arbitrary: word("trySend") },
    { weight: 8, arbitrary: word("receive") },
    { weight: 3, arbitrary: word("tryReceive") },
    { weight: 3, arbitrary: many },
    { weight: 1, arbitrary: fc.oneof(word("close"), word("fail")) },
  ),
  model: (setup) => new ChannelModel(setup),
  real: ({ capacity, policy }) => {
    const channel = new Channel<number>(capacity, { overflow: policyOf(policy) });
    return {
      apply(command, ctx, id) {
        switch (command.do) {
          case "send":
            return channel.send(id, ctx);
          case "trySend":
            return channel.trySend(id);
          case "receive":
            return channel.receive(ctx).then(({ value, done }) => shown(value, done));
          case "tryReceive": {
            const taken = channel.tryReceive();
            return taken === undefined ? "nothing" : shown(taken.value, taken.done);
          }
          case "many":
            return receiveMany(channel, command.max, { min: command.min, signal: ctx.signal }).then(
              (values) => `[${values.join()}]`,
            );
          case "close":
            return channel.close();
          case "fail":
            return channel.close(new Error("broken"));
        }
      },
      look: () => {
        const { senders, receivers } = channel.waiting;
        return [channel.size, senders, receivers, channel.closed, channel.dropped];
      },
    };
  },
};
