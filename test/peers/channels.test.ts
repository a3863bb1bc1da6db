/** Channels and buses: no wake-up lost, any value carried, no bound pretended, no failure of a listener lost. */
import { Channel } from "concurrency-model-patterns/channel";
import { PubSub } from "concurrency-model-patterns/pubsub";
import { receive, select } from "concurrency-model-patterns/select";
import { fate, pause, peer, theyFailWePass } from "./duel.ts";

interface CspChannel {
  read(): Promise<unknown>;
  write(value: unknown): Promise<boolean>;
  close(): void;
  [Symbol.asyncIterator](): AsyncIterator<unknown>;
}

interface CspModule {
  readonly channel: () => CspChannel;
  readonly select: (...channels: CspChannel[]) => Promise<unknown>;
}

interface EmitteryModule {
  readonly default: new () => {
    on(name: string, listener: () => void | Promise<void>): void;
    events(name: string): AsyncIterableIterator<unknown>;
    emit(name: string, value?: unknown): Promise<void>;
  };
}

theyFailWePass(
  "of two selects that share a channel, the one that the shared channel should wake",
  "thi.ng/csp",
  {
    seen: "never settles",
    program: async () => {
      const { channel, select: selectOf } = await peer<CspModule>("@thi.ng/csp");
      const [a, shared, c] = [channel(), channel(), channel()];
      const first = selectOf(a, shared);
      void selectOf(shared, c);
      await pause(1);
      void c.write(2);
      await pause(5);
      void shared.write(1);
      return fate(first);
    },
  },
  {
    seen: "resolves",
    program: async () => {
      const [a, shared, c] = [new Channel<number>(), new Channel<number>(), new Channel<number>()];
      const first = select({ a: receive(a), shared: receive(shared) });
      void select({ shared: receive(shared), c: receive(c) });
      await pause(1);
      void c.send(2);
      await pause(5);
      void shared.send(1);
      return fate(first);
    },
  },
);

/** What an iteration gives of three values, the second of which is undefined. */
async function collected(values: AsyncIterable<unknown>): Promise<string> {
  const got: string[] = [];
  for await (const value of values) got.push(String(value));
  return got.join(" ");
}

theyFailWePass(
  "an iteration over 1, undefined, 2",
  "thi.ng/csp",
  {
    seen: "1 2",
    program: async () => {
      const { channel } = await peer<CspModule>("@thi.ng/csp");
      const values = channel();
      const seen = collected(values);
      for (const value of [1, undefined, 2]) await Promise.race([values.write(value), pause(20)]);
      await pause(20);
      values.close();
      return seen;
    },
  },
  {
    seen: "1 undefined 2",
    program: async () => {
      const values = new Channel<number | undefined>();
      const seen = collected(values);
      for (const value of [1, undefined, 2]) await values.send(value);
      values.close();
      return seen;
    },
  },
);

const READERS = 1100;

/** How many of many readers are told that there is nothing, while the channel is open. */
async function turnedAway(read: () => Promise<unknown>): Promise<number> {
  let away = 0;
  for (let reader = 0; reader < READERS; reader++) {
    void read().then(
      () => away++,
      () => {},
    );
  }
  await pause(10);
  return away;
}

theyFailWePass(
  "readers of 1,100 that an open, empty channel answers",
  "thi.ng/csp",
  {
    seen: READERS - 1024,
    program: async () => {
      const { channel } = await peer<CspModule>("@thi.ng/csp");
      const empty = channel();
      return turnedAway(() => empty.read());
    },
  },
  {
    seen: 0,
    program: () => {
      const empty = new Channel<number>();
      return turnedAway(() => empty.receive());
    },
  },
);

const EVENTS = 50_000;

theyFailWePass(
  "messages of 50,000 that are kept for a subscriber who takes none",
  "emittery",
  {
    seen: EVENTS,
    program: async () => {
      const { default: Emittery } = await peer<EmitteryModule>("emittery");
      const bus = new Emittery();
      const inbox = bus.events("x");
      for (let event = 0; event < EVENTS; event++) void bus.emit("x", event);
      await pause(50);
      let kept = 0;
      while ((await Promise.race([inbox.next(), pause(50)])) !== undefined) kept++;
      return kept;
    },
  },
  {
    seen: 16,
    program: async () => {
      const bus = new PubSub<{ x: number }>();
      const inbox = bus.subscribe("x", { capacity: 16, overflow: "drop-oldest" });
      for (let event = 0; event < EVENTS; event++) await bus.publish("x", event);
      bus.close();
      let kept = 0;
      for await (const _ of inbox) kept++;
      return kept;
    },
  },
);

theyFailWePass(
  "failures of two listeners that are reported",
  "emittery",
  {
    seen: "first",
    program: async () => {
      const { default: Emittery } = await peer<EmitteryModule>("emittery");
      const bus = new Emittery();
      const fail = (text: string) => () => Promise.reject(new Error(text));
      bus.on("x", fail("first"));
      bus.on("x", fail("second"));
      const error = await bus.emit("x").catch((failure: unknown) => failure);
      return [error, ...((error as AggregateError).errors ?? [])]
        .map((each) => (each as Error).message)
        .join(" ");
    },
  },
  {
    seen: "first second",
    program: async () => {
      const seen: string[] = [];
      const bus = new PubSub<{ x: number }>();
      const onError = (error: unknown): void => void seen.push((error as Error).message);
      const fail = (text: string) => () => Promise.reject(new Error(text));
      bus.on("x", fail("first"), { onError });
      bus.on("x", fail("second"), { onError });
      await bus.publish("x", 1);
      await bus.drain();
      return seen.join(" ");
    },
  },
);
