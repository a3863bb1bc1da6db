/** Select: the first of several channels that has a value. */
import { Channel } from "../src/sync/channel.ts";
import type { Received } from "../src/sync/ports.ts";
import { receive, select as selectFirst } from "../src/sync/select.ts";
import { sumTo } from "./channel-floors.ts";
import { type Case, check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";

/** Channels without a buffer and a way to wait for the first of them, as a package has them. */
interface Post<R = unknown> {
  send(channel: number, value: number): Promise<unknown>;
  /** Waits for the first. */
  first(): Promise<R>;
  /** The value in what that gave. */
  valueIn(first: R): number;
}

/** So many senders, each at a channel of its own; one who takes the first. */
async function merge<R>(post: Post<R>, channels: number, values: number): Promise<void> {
  const each = Math.ceil(values / channels);
  const senders = Array.from({ length: channels }, async (_, channel) => {
    for (let n = 0; n < each; n++) await post.send(channel, n);
  });
  let sum = 0;
  for (let n = each * channels; n > 0; n--) {
    const value = post.valueIn(await post.first());
    sum += value;
  }
  await Promise.all(senders);
  check(sum, channels * sumTo(each));
}

function ours(channels: number): Post<Received<number>> {
  const all = Array.from({ length: channels }, () => new Channel<number>());
  const [a, b, c, d] = all as [Channel<number>, Channel<number>, Channel<number>, Channel<number>];
  const send = (channel: number, value: number): Promise<void> =>
    (all[channel] as Channel<number>).send(value);
  const two = (): Promise<Received<number>> => selectFirst({ a: receive(a), b: receive(b) });
  const four = (): Promise<Received<number>> =>
    selectFirst({ a: receive(a), b: receive(b), c: receive(c), d: receive(d) });
  const valueIn = ({ value }: Received<number>): number => value ?? Number.NaN;
  return { send, first: channels === 2 ? two : four, valueIn };
}

interface MediumModule {
  readonly chan: () => object;
  readonly put: (channel: object, value: number) => Promise<boolean>;
  readonly any: (...channels: object[]) => Promise<[number, object]>;
}

interface TsChanModule {
  readonly Chan: new () => object & { send(value: number): Promise<void> };
  readonly recv: (channel: object) => object;
  readonly Select: new (
    cases: object[],
  ) => {
    readonly cases: readonly object[];
    wait(): Promise<number>;
    recv(ofCase: object | undefined): { readonly value: number };
  };
}

interface CspModule {
  readonly channel: () => { write(value: number): Promise<boolean> };
  readonly select: (...channels: object[]) => Promise<[number, object]>;
}

const peers: Readonly<Record<string, (channels: number) => Promise<Post>>> = {
  medium: async (channels) => {
    const { chan, put, any } = (await peer("medium")) as MediumModule;
    const all = Array.from({ length: channels }, () => chan());
    return {
      send: (channel, value) => put(all[channel] as object, value),
      first: () => any(...all),
      valueIn: ([value]: [number, object]) => value,
    };
  },
  "ts-chan": async (channels) => {
    const { Chan, recv, Select } = (await peer("ts-chan")) as TsChanModule;
    const all = Array.from({ length: channels }, () => new Chan());
    return {
      send: (channel, value) => (all[channel] as InstanceType<typeof Chan>).send(value),
      first: async () => {
        const one = new Select(all.map((channel) => recv(channel)));
        const chosen = await one.wait();
        return one.recv(one.cases[chosen]).value;
      },
      valueIn: (value: number) => value,
    };
  },
  "@thi.ng/csp": async (channels) => {
    const { channel: make, select } = (await peer("@thi.ng/csp")) as CspModule;
    const all = Array.from({ length: channels }, () => make());
    return {
      send: (channel, value) => (all[channel] as ReturnType<typeof make>).write(value),
      first: () => select(...all),
      valueIn: ([value]: [number, object]) => value,
    };
  },
};

/** What a race costs that is taken back by hand: each sender's promise, and a flag for those who lose. */
function naive(channels: number): Post<number> {
  const waiting: ({ value: number; taken: () => void } | undefined)[] = Array.from({ length: channels });
  let arrived: (() => void) | undefined;
  const take = (): number | undefined => {
    const index = waiting.findIndex((one) => one !== undefined);
    const found = waiting[index];
    waiting[index] = undefined;
    found?.taken();
    return found?.value;
  };
  return {
    send: (channel, value) =>
      new Promise<void>((taken) => {
        waiting[channel] = { value, taken };
        arrived?.();
      }),
    first: async () => {
      for (;;) {
        const value = take();
        if (value !== undefined) return value;
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
    },
    valueIn: (value) => value,
  };
}

/** No channel and no wait: what both await is there. */
function floor(): Post<void> {
  const there = Promise.resolve();
  const sent: number[] = [];
  let taken = 0;
  return {
    send: (_channel, value) => {
      sent.push(value);
      return there;
    },
    first: () => there,
    valueIn: () => sent[taken++] ?? Number.NaN,
  };
}

const NOTE =
  "Half of what the best package takes is what a race by hand takes, with one array, no fairness and nothing to cancel. The " +
  "profile is flat: cases made anew each time, a result, a choice by chance among the ready, a waiter, the awaits.";

function caseOf(channels: number, words: string): Case {
  const run =
    <R>(make: (channels: number) => Post<R> | Promise<Post<R>>) =>
    async (): Promise<Rounds> => {
      const post = await make(channels);
      return (values) => merge(post, channels, values);
    };
  const named = Object.entries(peers).map(([name, make]): [string, NodeVariant] => [
    name,
    { who: "peer", setUp: run(make) },
  ]);
  return {
    name: words,
    operation: `a value received from the first of ${words} channels without a buffer`,
    variants: {
      ours: { who: "ours", setUp: run(ours) },
      ...Object.fromEntries(named),
      "array and promises": { who: "naive", setUp: run(naive) },
      "two awaits": { who: "floor", idiom: "of a promise that is there", setUp: run(floor) },
      Go: { who: "go", program: `select-${words}` },
    },
    goals: [{ of: "ours", versus: "best peer", atLeast: 2, note: NOTE }],
  };
}

export const select: Subject = {
  name: "select",
  title: "Select",
  cases: [caseOf(2, "two"), caseOf(4, "four")],
};
