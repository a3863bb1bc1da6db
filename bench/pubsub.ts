/**
 * Publish-subscribe: a message to each of so many handlers.
 *
 * The peers that emit call every handler inside `emit`. Here a handler is called in a task of its own, in the async
 * context of whoever subscribed, with what waits for it in a log; the publisher goes on, and waits only for room. `publish
 * if there is room` is `tryPublish`, and `publish` where that is refused; it stands beside `emit`. `plain await` awaits
 * each `publish`, as one awaits the `emit` of emittery; there, that waits until the handlers have returned.
 */
import { EventEmitter } from "node:events";
import { PubSub } from "../src/patterns/pubsub.ts";
import { check, type NodeVariant, type Rounds, type Subject, type Variant } from "./harness/subject.ts";
import { peer } from "./peers.ts";

const BUFFER = 128;
const TOPIC = "number";

type Handler = (message: number) => void;

/** Publishes one message; a promise is waited for. */
type Publish = (message: number) => void | PromiseLike<unknown>;

/** Subscribes all handlers, and gives the way to publish. */
type Subscribe = (handlers: readonly Handler[]) => Publish | Promise<Publish>;

function busOf(handlers: readonly Handler[]): PubSub<{ [TOPIC]: number }> {
  const bus = new PubSub<{ [TOPIC]: number }>();
  for (const handler of handlers) bus.on(TOPIC, handler, { capacity: BUFFER });
  return bus;
}

const ours: Subscribe = (handlers) => {
  const bus = busOf(handlers);
  return (message) => (bus.tryPublish(TOPIC, message) ? undefined : bus.publish(TOPIC, message));
};

const oursAwaited: Subscribe = (handlers) => {
  const bus = busOf(handlers);
  return (message) => bus.publish(TOPIC, message);
};

const eventEmitter: Subscribe = (handlers) => {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  for (const handler of handlers) emitter.on(TOPIC, handler);
  return (message) => void emitter.emit(TOPIC, message);
};

interface Emitter {
  on(topic: string, handler: Handler): unknown;
  emit(topic: string, message: number): unknown;
}

interface RxModule {
  readonly Subject: new () => { subscribe(handler: Handler): unknown; next(message: number): void };
}

const peers: Readonly<Record<string, Subscribe>> = {
  EventEmitter: eventEmitter,
  eventemitter3: async (handlers) => {
    const { EventEmitter: Emitter3 } = (await peer("eventemitter3")) as {
      readonly EventEmitter: new () => Emitter;
    };
    const emitter = new Emitter3();
    for (const handler of handlers) emitter.on(TOPIC, handler);
    return (message) => void emitter.emit(TOPIC, message);
  },
  mitt: async (handlers) => {
    const { default: mitt } = (await peer("mitt")) as { readonly default: () => Emitter };
    const emitter = mitt();
    for (const handler of handlers) emitter.on(TOPIC, handler);
    return (message) => void emitter.emit(TOPIC, message);
  },
  rxjs: async (handlers) => {
    const { Subject: RxSubject } = (await peer("rxjs")) as RxModule;
    const subject = new RxSubject();
    for (const handler of handlers) subject.subscribe(handler);
    return (message) => subject.next(message);
  },
};

const emittery: Subscribe = async (handlers) => {
  const { default: Emittery } = (await peer("emittery")) as { readonly default: new () => Emitter };
  const emitter = new Emittery();
  for (const handler of handlers) emitter.on(TOPIC, handler);
  return (message) => emitter.emit(TOPIC, message) as Promise<void>;
};

/** A first draft: a Set of functions. */
const naive: Subscribe = (handlers) => {
  const subscribed = new Set(handlers);
  return (message) => {
    for (const handler of subscribed) handler(message);
  };
};

/** What nobody can do without: the calls. */
const floor: Subscribe = (handlers) => (message) => {
  for (const handler of handlers) handler(message);
};

/** The handlers are subscribed once, before the first round. */
async function roundsOf(subscribe: Subscribe, subscribers: number): Promise<Rounds> {
  const seen = { handled: 0, sum: 0 };
  const handlers = Array.from(
    { length: subscribers },
    (): Handler => (message) => {
      seen.handled++;
      seen.sum += message;
    },
  );
  const publish = await subscribe(handlers);
  return async (operations) => {
    [seen.handled, seen.sum] = [0, 0];
    const wanted = operations * subscribers;
    for (let n = 0; n < operations; n++) {
      const waited = publish(n);
      if (waited !== undefined) await waited;
    }
    while (seen.handled < wanted) await new Promise(setImmediate);
    check(seen.handled, wanted);
    check(seen.sum, (subscribers * operations * (operations - 1)) / 2);
  };
}

function variantsFor(subscribers: number): Record<string, Variant> {
  const variant = (who: NodeVariant["who"], idiom: string, subscribe: Subscribe): NodeVariant => ({
    who,
    idiom,
    setUp: () => roundsOf(subscribe, subscribers),
  });
  const emitters = Object.entries(peers).map(([name, subscribe]) => [
    name,
    variant("peer", "emit", subscribe),
  ]);
  return {
    ours: variant("ours", "publish if there is room", ours),
    "ours, awaited": variant("ours", "plain await", oursAwaited),
    ...Object.fromEntries(emitters),
    emittery: variant("peer", "plain await", emittery),
    "Set of functions": variant("naive", "emit", naive),
    "the calls": variant("floor", "calls", floor),
    Go: { who: "go", program: `pubsub-${subscribers}` },
  };
}

const NOTE =
  "An emitter calls its functions inside of emit, and has no buffers. Here all handlers of a topic read one log, each in a " +
  "task of its own that has to be woken, and that the publisher has to wait for when it has no room. With one handler there is " +
  "nobody to share the log with: to find the topic, to see that there is room and to append takes longer than to emit. " +
  "Before all read one log to its end, it was 0.2, 0.3 and 0.3 times with a buffer for each handler, and buffers of 4096 and not 128 " +
  "gained less than 1.3 times.";

const caseFor = (subscribers: number, atLeast: number): Subject["cases"][number] => ({
  name: subscribers === 1 ? "1 subscriber" : `${subscribers} subscribers`,
  operation: "a message published, and handled by each",
  variants: variantsFor(subscribers),
  goals: [{ of: "ours", versus: "EventEmitter", atLeast, note: NOTE }],
});

export const pubsub: Subject = {
  name: "pubsub",
  title: "Publish-subscribe",
  cases: [caseFor(1, 0.9), caseFor(10, 1.2), caseFor(1000, 0.9)],
};
