/** The channels of the packages, seen alike: waiting calls alone. Shared by the subjects that measure channels. */
import { Channel } from "../src/sync/channel.ts";
import { peer } from "./peers.ts";

export interface Wire<R = unknown> extends AsyncIterable<number> {
  send(value: number): unknown;
  receive(): Promise<R>;
  /** The value in what a receive gave. */
  valueIn(received: R): number;
  close(): unknown;
}

/** Makes a channel that holds so many values. */
export type MakeWire = (capacity: number) => Wire;

interface AsyncChannelModule {
  readonly Channel: new (
    capacity: number,
  ) => AsyncIterable<number> & {
    push(value: number): Promise<void>;
    get(): Promise<number>;
    close(): void;
  };
}

interface MediumModule {
  readonly chan: (capacity?: number) => object;
  readonly put: (channel: object, value: number) => Promise<boolean>;
  readonly take: (channel: object) => Promise<number>;
  readonly close: (channel: object) => void;
}

interface TsChanModule {
  readonly Chan: new (
    capacity: number,
  ) => AsyncIterable<number> & {
    send(value: number): Promise<void>;
    recv(): Promise<{ readonly value: number }>;
    close(): void;
  };
}

interface CspModule {
  readonly channel: (capacity?: number) => AsyncIterable<number> & {
    write(value: number): Promise<boolean>;
    read(): Promise<number>;
    close(): void;
  };
}

const same = (value: number): number => value;

export const ours: MakeWire = (capacity) => {
  const channel = new Channel<number>(capacity);
  return {
    send: (value) => channel.send(value),
    receive: () => channel.receive(),
    valueIn: (received) => (received as { readonly value: number }).value,
    close: () => channel.close(),
    [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
  };
};

/** How each package makes one, asked for in the process that measures it. */
export const peers: Readonly<Record<string, () => Promise<MakeWire>>> = {
  "async-channel": async () => {
    const { Channel } = (await peer("async-channel")) as AsyncChannelModule;
    return (capacity): Wire<number> => {
      const channel = new Channel(capacity);
      return {
        send: (value) => channel.push(value),
        receive: () => channel.get(),
        valueIn: same,
        close: () => channel.close(),
        [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
      };
    };
  },
  medium: async () => {
    const { chan, put, take, close } = (await peer("medium")) as MediumModule;
    return (capacity): Wire<number> => {
      const channel = capacity === 0 ? chan() : chan(capacity);
      return {
        send: (value) => put(channel, value),
        receive: () => take(channel),
        valueIn: same,
        close: () => close(channel),
        [Symbol.asyncIterator]: () => {
          throw new Error("it has none");
        },
      };
    };
  },
  "ts-chan": async () => {
    const { Chan } = (await peer("ts-chan")) as TsChanModule;
    return (capacity): Wire<{ readonly value: number }> => {
      const channel = new Chan(capacity);
      return {
        send: (value) => channel.send(value),
        receive: () => channel.recv(),
        valueIn: ({ value }) => value,
        close: () => channel.close(),
        [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
      };
    };
  },
  "@thi.ng/csp": async () => {
    const { channel: make } = (await peer("@thi.ng/csp")) as CspModule;
    return (capacity): Wire<number> => {
      // Its smallest buffer has one place.
      const channel = make(Math.max(capacity, 1));
      return {
        send: (value) => channel.write(value),
        receive: () => channel.read(),
        valueIn: same,
        close: () => channel.close(),
        [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
      };
    };
  },
};
