/** Channels in shared memory: numbers to a thread and back, beside pools whose jobs do no more; and in one thread. */
import { Worker } from "node:worker_threads";
import { sharedChannel } from "../src/node/threads/channel.ts";
import { Channel } from "../src/sync/channel.ts";
import type { ReceivePort, SendPort } from "../src/sync/ports.ts";
import { receiveMany } from "../src/sync/receive-many.ts";
import type { SharedChannel } from "../src/threads/shared-channel.ts";
import { check, type NodeVariant, type Subject } from "./harness/subject.ts";
import { type Load, messages, peers } from "./thread-pools.ts";
import { next } from "./threads/jobs.ts";

const THREADS = 1;
const CAPACITY = 1024;

const sumTo = (count: number): number => (count * (count - 1)) / 2;

type Port = SendPort<number> & ReceivePort<number>;
/** Receives so many numbers, and adds them up. */
type Receive = (port: ReceivePort<number>, count: number) => Promise<number>;

const oneByOne: Receive = async (port, count) => {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += (await port.receive()).value ?? 0;
  return sum;
};

const inBatches: Receive = async (port, count) => {
  let sum = 0;
  for (let left = count; left > 0; ) {
    const values = await receiveMany(port, Math.min(left, CAPACITY));
    for (const value of values) sum += value;
    left -= values.length;
  }
  return sum;
};

async function sendAll(port: SendPort<number>, count: number): Promise<void> {
  for (let n = 0; n < count; n++) if (!port.trySend(n)) await port.send(n);
}

/** Numbers go in at one end, and come back from the other, one greater. */
async function thereAndBack(jobs: Port, results: Port, receive: Receive, count: number): Promise<void> {
  const sending = sendAll(jobs, count);
  check(await receive(results, count), sumTo(count) + count);
  await sending;
}

/** The process ends with its rounds, and its thread with it. */
const channels = (idiom: string, receive: Receive): NodeVariant => ({
  who: "ours",
  idiom,
  setUp: async () => {
    const [jobs, results] = [sharedChannel<number>(CAPACITY), sharedChannel<number>(CAPACITY)];
    const workerData = [jobs.handle, results.handle];
    const thread = new Worker(new URL("./threads/shared.js", import.meta.url), { workerData });
    thread.unref();
    await thereAndBack(jobs, results, receive, 1);
    return (count) => thereAndBack(jobs, results, receive, count);
  },
});

const calls = (who: NodeVariant["who"], idiom: string, load: Load): NodeVariant => ({
  who,
  idiom,
  setUp: async () => {
    const call = await load(THREADS);
    await call("next", 0);
    return async (count) => {
      const results = (await Promise.all(
        Array.from({ length: count }, (_, n) => call("next", n)),
      )) as number[];
      check(
        results.reduce((sum, result) => sum + result, 0),
        sumTo(count) + count,
      );
    };
  },
});

/** The same two channels, and a task in the place of the thread. */
const oneLoop: NodeVariant = {
  who: "floor",
  idiom: "channels of one event loop, and a task",
  setUp: () => {
    const [jobs, results] = [new Channel<number>(CAPACITY), new Channel<number>(CAPACITY)];
    void (async () => {
      for await (const job of jobs) if (!results.trySend(next(job))) await results.send(next(job));
    })();
    return (count) => thereAndBack(jobs, results, inBatches, count);
  },
};

/** A value put in and taken out by the same thread. */
const passing = <T>(
  who: NodeVariant["who"],
  idiom: string,
  value: T,
  make: () => Pick<SharedChannel<T>, "trySend" | "tryReceive">,
): NodeVariant => ({
  who,
  idiom,
  setUp: () => {
    const channel = make();
    return (count) => {
      let received = 0;
      for (let n = 0; n < count; n++) {
        channel.trySend(value);
        if (channel.tryReceive()?.done === false) received++;
      }
      check(received, count);
    };
  },
});

const shared = <T>(): SharedChannel<T> => sharedChannel<T>(CAPACITY);

const NOTE =
  "A message for all numbers is copied as a whole, and its sender waits for one answer and not for each: with as many at once as a " +
  "round has, that costs as little as it can. In runs on a quieter machine it was 5.3 times; both rows vary by a factor of two.";

export const sharedChannels: Subject = {
  name: "shared-channel",
  title: "Channels in shared memory",
  manyCores: true,
  cases: [
    {
      name: "there and back",
      operation: `a number there and one back, all handed over at once, ${THREADS} thread`,
      operations: { full: 20_000, quick: 8000 },
      variants: {
        ours: channels("try first, and batches", inBatches),
        "ours, await": channels("try first, and plain await", oneByOne),
        ...Object.fromEntries(
          Object.entries(peers).map(([name, [idiom, load]]) => [name, calls("peer", idiom, load)]),
        ),
        "no pool": calls("naive", "a message each", messages(false)),
        "no pool, batches": calls("naive", "a message for all", messages(true)),
        "no thread": oneLoop,
      },
      goals: [
        { of: "ours", versus: "best peer", atLeast: 5 },
        { of: "ours", versus: "no pool, batches", atLeast: 5, note: NOTE },
      ],
    },
    {
      name: "one thread",
      operation: "a value sent and received in one thread, without waiting",
      variants: {
        numbers: passing("ours", "numbers", 1, shared<number>),
        bytes: passing("ours", "64 bytes", new Uint8Array(64), shared<Uint8Array>),
        texts: passing("ours", "a text of 16 letters", "abcdefghijklmnop", shared<string>),
        objects: passing("ours", "an object of two numbers", { k: 1, x: 2 }, shared<object>),
        channel: passing("floor", "a channel of one event loop", 1, () => new Channel<number>(CAPACITY)),
      },
    },
  ],
};
