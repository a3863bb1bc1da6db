/** What channels are measured beside that is none: what one would write first, and what nobody can do without. */
import { check, type NodeVariant, type Rounds } from "./harness/subject.ts";
import type { MakeWire, Wire } from "./wires.ts";

/** So many sends wait at once where queues are long; one of the peers allows for no more. */
export const CROWD = 1000;

/** Of the values from 0 on. */
export const sumTo = (count: number): number => (count * (count - 1)) / 2;

/** What nobody can do without who waits for each value: an array, and a promise that is there already. */
async function awaitArray(values: number): Promise<void> {
  const array: number[] = [];
  const there = Promise.resolve();
  let sum = 0;
  for (let n = 0; n < values; n++) {
    array.push(n);
    await there;
    sum += array.pop() ?? 0;
  }
  check(sum, sumTo(values));
}

/** The same by two tasks: no channel whose every call is awaited can take less. */
async function awaitByBoth(values: number): Promise<void> {
  const array: number[] = [];
  const there = Promise.resolve();
  const sending = (async () => {
    for (let n = 0; n < values; n++) {
      array.push(n);
      await there;
    }
  })();
  let sum = 0;
  for (let n = 0; n < values; n++) {
    await there;
    sum += array.pop() ?? 0;
  }
  await sending;
  check(sum, sumTo(values));
}

/** So many promises, all made before the first is settled, and then awaited. */
async function settleAll(promises: number): Promise<void> {
  for (let left = promises; left > 0; left -= CROWD) {
    const settle: ((value: number) => void)[] = [];
    const count = Math.min(left, CROWD);
    const made = Array.from({ length: count }, () => new Promise<number>((resolve) => settle.push(resolve)));
    let sum = 0;
    for (let n = 0; n < count; n++) {
      settle[n]?.(n);
      sum += (await made[n]) ?? 0;
    }
    check(sum, sumTo(count));
  }
}

/** What a loop over values costs that come from nowhere. */
async function iterateGenerator(values: number): Promise<void> {
  async function* generate(): AsyncGenerator<number> {
    for (let n = 0; n < values; n++) yield n;
  }
  let sum = 0;
  for await (const value of generate()) sum += value;
  check(sum, sumTo(values));
}

/** A first draft: an array, and the promises of those who wait. */
class NaiveChannel {
  readonly #values: number[] = [];
  readonly #receivers: ((value: number) => void)[] = [];
  readonly #senders: (() => void)[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async send(value: number): Promise<void> {
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) return receiver(value);
    this.#values.push(value);
    if (this.#values.length > this.#capacity)
      await new Promise<void>((resolve) => this.#senders.push(resolve));
  }

  async receive(): Promise<number> {
    this.#senders.shift()?.();
    return this.#values.shift() ?? (await new Promise((resolve) => this.#receivers.push(resolve)));
  }
}

/** In the place of a value: no more come. */
const END = -1;

export const naive: MakeWire = (capacity): Wire<number> => {
  const channel = new NaiveChannel(capacity);
  return {
    send: (value) => channel.send(value),
    receive: () => channel.receive(),
    valueIn: (value) => value,
    close: () => void channel.send(END),
    async *[Symbol.asyncIterator]() {
      for (let value = await channel.receive(); value !== END; value = await channel.receive()) yield value;
    },
  };
};

const floorOf = (work: Rounds, idiom: string): NodeVariant => ({ who: "floor", idiom, setUp: () => work });

export const oneAwait = floorOf(awaitArray, "one await of a promise that is there");
export const twoAwaits = floorOf(awaitByBoth, "an await by each of two tasks");
export const settled = floorOf(settleAll, "a promise made, settled, awaited");
export const generator = floorOf(iterateGenerator, "a loop over what nobody sends");

export const arrayPairs: NodeVariant = {
  who: "floor",
  idiom: "push and shift of an array",
  setUp: () => (values) => {
    const array: number[] = [];
    let sum = 0;
    for (let n = 0; n < values; n++) {
      array.push(n);
      sum += array.shift() ?? 0;
    }
    check(sum, sumTo(values));
  },
};
