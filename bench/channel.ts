/** Channels: values from one task to another. */
import { Channel } from "../src/sync/channel.ts";
import { receiveMany } from "../src/sync/receive-many.ts";
import {
  arrayPairs,
  CROWD,
  generator,
  naive,
  oneAwait,
  settled,
  sumTo,
  twoAwaits,
} from "./channel-floors.ts";
import { check, type NodeVariant, type Rounds, type Subject, type Variant } from "./harness/subject.ts";
import { peer } from "./peers.ts";
import { type MakeWire, ours, peers, type Wire } from "./wires.ts";

const BUFFER = 128;
/** So many sends wait at once where the peer that allows for no more than a crowd is left out: what a line costs must not depend on its length. */
const LARGE_CROWD = 20_000;

/** One sender, one receiver. */
async function pass(wire: Wire, values: number): Promise<void> {
  const sending = (async () => {
    for (let n = 0; n < values; n++) await wire.send(n);
  })();
  let sum = 0;
  for (let n = 0; n < values; n++) sum += wire.valueIn(await wire.receive());
  await sending;
  check(sum, sumTo(values));
}

/** Two tasks that hand a value to and fro, each time one more. */
async function pingPong(make: MakeWire, handOffs: number): Promise<void> {
  const [there, back] = [make(0), make(0)];
  const rallies = Math.ceil(handOffs / 2);
  const answering = (async () => {
    for (let n = 0; n < rallies; n++) await back.send(there.valueIn(await there.receive()) + 1);
  })();
  let value = 0;
  for (let n = 0; n < rallies; n++) {
    await there.send(value);
    value = back.valueIn(await back.receive());
  }
  await answering;
  check(value, rallies);
}

/** Four senders, four receivers. */
async function crowd(wire: Wire, values: number): Promise<void> {
  const each = Math.ceil(values / 4);
  let sum = 0;
  const four = (work: () => Promise<void>): Promise<void>[] => [0, 1, 2, 3].map(work);
  const senders = four(async () => {
    for (let n = 0; n < each; n++) await wire.send(n);
  });
  const receivers = four(async () => {
    let own = 0;
    for (let n = 0; n < each; n++) own += wire.valueIn(await wire.receive());
    sum += own;
  });
  await Promise.all([...senders, ...receivers]);
  check(sum, 4 * sumTo(each));
}

/** Many senders wait at once, then all is taken and the channel closed: the cost of long queues. */
const fillAndDrain =
  (crowd: number) =>
  async (make: MakeWire, values: number): Promise<void> => {
    for (let left = values; left > 0; left -= crowd) {
      const wire = make(0);
      const count = Math.min(left, crowd);
      const sends = Array.from({ length: count }, (_, n) => wire.send(n));
      let sum = 0;
      for (let n = 0; n < count; n++) sum += wire.valueIn(await wire.receive());
      await Promise.all(sends);
      wire.close();
      check(sum, sumTo(count));
    }
  };

async function iterate(wire: Wire, values: number): Promise<void> {
  const sending = (async () => {
    for (let n = 0; n < values; n++) await wire.send(n);
    wire.close();
  })();
  let sum = 0;
  for await (const value of wire) sum += value;
  await sending;
  check(sum, sumTo(values));
}

/** Sends without waiting while there is room. */
async function sendTrying(channel: Channel<number>, values: number): Promise<void> {
  for (let n = 0; n < values; n++) if (!channel.trySend(n)) await channel.send(n);
  channel.close();
}

async function passTrying(values: number): Promise<void> {
  const channel = new Channel<number>(BUFFER);
  const sending = sendTrying(channel, values);
  let sum = 0;
  for (;;) {
    const got = channel.tryReceive() ?? (await channel.receive());
    if (got.done === true) break;
    sum += got.value;
  }
  await sending;
  check(sum, sumTo(values));
}

async function passInBatches(values: number): Promise<void> {
  const channel = new Channel<number>(BUFFER);
  const sending = sendTrying(channel, values);
  let sum = 0;
  for (;;) {
    const batch = await receiveMany(channel, BUFFER);
    if (batch.length === 0) break;
    for (const value of batch) sum += value;
  }
  await sending;
  check(sum, sumTo(values));
}

function tryPairs(values: number): void {
  const channel = new Channel<number>(1);
  let sum = 0;
  for (let n = 0; n < values; n++) {
    channel.trySend(n);
    sum += channel.tryReceive()?.value ?? 0;
  }
  check(sum, sumTo(values));
}

/** Why not more. Figures of a profile are of this machine, in processor time. */
const AWAITED =
  "Each value is awaited by two tasks, and two awaits of promises that are there take three fifths of what the best package " +
  "takes: no more than 1.6 times as fast can be had of calls that are all awaited. Of the profile more than half is the two " +
  "loops with their awaits, 14 % the collection of garbage, 11 % the channel. Tried: waiters that keep no function to reject " +
  "with, and make no closure (no difference).";
const HANDED =
  "As with the packages, who comes first makes a promise and the other settles it, which alone takes the most of it. Here a " +
  "receiver is also told of the end, so it is given an object, and a promise of an object asks that for a `then`: measured alone, " +
  "12 ns. Who waits can leave from anywhere. Tried: waiters that keep no function to reject with, and make no closure, and a " +
  "shorter way to grant (no more than two processes with the same code differ by).";
const WAITED =
  "A promise that is made, settled and awaited, with no channel, takes a third of what the best package takes. Of the profile " +
  "40 % is the loop with its awaits, 19 % the collection of garbage, 12 % the waiters. The packages search or shift their " +
  "lines: the difference is in long ones, see the next table.";
const ITERATED =
  "A loop takes as long as the same values received by hand, each awaited by both tasks; to take ahead would lose values when " +
  "the loop is left.";

const TRIED =
  "It takes what the push and the shift of an array take, and so no channel takes less: what the package takes was between 26 and " +
  "32 ns in several runs, so that this is 6.5 to 8 times.";

type Work = (make: MakeWire, values: number) => Promise<void>;

const PLAIN = "plain await";

const own = (work: Rounds, idiom = PLAIN): NodeVariant => ({ who: "ours", idiom, setUp: () => work });

/** The same work with every package's channel, and with a naive one. */
function withAll(work: Work, without: readonly string[] = []): Record<string, Variant> {
  const others = Object.entries(peers).filter(([name]) => !without.includes(name));
  const named = others.map(([name, load]): [string, NodeVariant] => {
    const setUp = async (): Promise<Rounds> => {
      const make = await load();
      return (values) => work(make, values);
    };
    return [name, { who: "peer", idiom: PLAIN, setUp }];
  });
  const first = own((values) => work(ours, values));
  return {
    ours: first,
    ...Object.fromEntries(named),
    "array and promises": { who: "naive", idiom: PLAIN, setUp: () => (values) => work(naive, values) },
  };
}

const go = (program: string): Variant => ({ who: "go", program });

interface Pollable {
  offer(value: number): boolean;
  poll(): number | undefined;
}

const pollPairs: NodeVariant = {
  who: "peer",
  idiom: "try",
  setUp: async () => {
    const { channel } = (await peer("@thi.ng/csp")) as { readonly channel: (capacity: number) => Pollable };
    return (values) => {
      const one = channel(1);
      let sum = 0;
      for (let n = 0; n < values; n++) {
        one.offer(n);
        sum += one.poll() ?? 0;
      }
      check(sum, sumTo(values));
    };
  },
};

interface Unsafe {
  trySend(value: number): boolean;
  tryRecv(): { readonly value: number } | undefined;
}

const tsChanPairs: NodeVariant = {
  who: "peer",
  idiom: "try",
  setUp: async () => {
    const { Chan } = (await peer("ts-chan")) as { readonly Chan: new (capacity: number) => Unsafe };
    return (values) => {
      const one = new Chan(1);
      let sum = 0;
      for (let n = 0; n < values; n++) {
        one.trySend(n);
        sum += one.tryRecv()?.value ?? 0;
      }
      check(sum, sumTo(values));
    };
  },
};

export const channel: Subject = {
  name: "channel",
  title: "Channel",
  cases: [
    {
      name: "buffered",
      operation: `a value from one task to another, ${BUFFER} buffered`,
      variants: {
        ...withAll((make, values) => pass(make(BUFFER), values)),
        "ours, try first": own(passTrying, "try first"),
        "ours, in batches": own(passInBatches, "batches"),
        "one await": oneAwait,
        "two awaits": twoAwaits,
        Go: go("channel-buffered"),
      },
      goals: [
        { of: "ours", versus: "best peer", atLeast: 1.5, note: AWAITED },
        { of: "ours, try first", versus: "best peer", atLeast: 3 },
        { of: "ours, try first", versus: "Go", atLeast: 0.5 },
        { of: "ours, in batches", versus: "best peer", atLeast: 3 },
        { of: "ours, in batches", versus: "Go", atLeast: 0.5 },
      ],
    },
    {
      name: "unbuffered",
      operation: "a value handed from one task to another and back, for each of the two",
      variants: { ...withAll(pingPong), "a promise": settled, Go: go("channel-unbuffered") },
      goals: [{ of: "ours", versus: "best peer", atLeast: 1, note: HANDED }],
    },
    {
      name: "four to four",
      operation: `a value from four senders to four receivers, ${BUFFER} buffered`,
      variants: {
        ...withAll((make, values) => crowd(make(BUFFER), values)),
        "two awaits": twoAwaits,
        Go: go("channel-four-to-four"),
      },
      goals: [{ of: "ours", versus: "best peer", atLeast: 1.5, note: AWAITED }],
    },
    {
      name: "close and drain",
      operation: `a value of ${CROWD} whose senders wait at once`,
      variants: { ...withAll(fillAndDrain(CROWD)), "a promise": settled, Go: go("channel-drain") },
      goals: [{ of: "ours", versus: "best peer", atLeast: 4, note: WAITED }],
    },
    {
      name: "close and drain, many",
      operation: `a value of ${LARGE_CROWD} whose senders wait at once`,
      operations: LARGE_CROWD,
      variants: { ...withAll(fillAndDrain(LARGE_CROWD), ["@thi.ng/csp"]), "a promise": settled },
      goals: [{ of: "ours", versus: "best peer", atLeast: 4 }],
    },
    {
      name: "for await",
      operation: `a value taken by a loop, ${BUFFER} buffered`,
      variants: {
        ...withAll((make, values) => iterate(make(BUFFER), values), ["medium"]),
        "async generator": generator,
      },
      goals: [{ of: "ours", versus: "best peer", atLeast: 3, note: ITERATED }],
    },
    {
      name: "try",
      operation: "a trySend and a tryReceive, nobody else there",
      variants: {
        ours: own(tryPairs, "try"),
        "@thi.ng/csp": pollPairs,
        "ts-chan": tsChanPairs,
        array: arrayPairs,
        Go: go("channel-try"),
      },
      goals: [
        { of: "ours", versus: "best peer", atLeast: 8, note: TRIED },
        { of: "ours", versus: "Go", atLeast: 2 },
      ],
    },
  ],
};
