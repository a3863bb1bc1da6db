/**
 * Channels in shared memory, for Node and those who have its `v8`: any value that can be copied goes through.
 */
import { deserialize, serialize } from "node:v8";
import {
  SharedChannel,
  type SharedChannelHandle,
  type SharedChannelOptions,
} from "../../threads/shared-channel.ts";

export type {
  SharedChannel,
  SharedChannelHandle,
  SharedChannelOptions,
} from "../../threads/shared-channel.ts";

const structures = {
  encode: (value: unknown) => serialize(value),
  decode: (bytes: Uint8Array) => deserialize(bytes),
};

/**
 * Makes a channel in shared memory, or another end of one whose handle came from another thread.
 *
 * **Guarantees** Several threads may send and receive at once: each value is received once, and those of one sender in
 * their order. Never more than `capacity` values are in it. In a thread, those who wait are served in the order of their
 * calls; between threads there is no order among those who wait. What a thread has received is lost with it. One that
 * is terminated in the midst of an operation may cost the channel a place: others wait 2 s for it, and go on without.
 * **Units and ranges** `capacity`: from 1 to 2^20. Values: whatever the structured clone of `v8` takes, up to `valueBytes`
 * bytes each. Numbers, texts and `Uint8Array`s are written as they are, all else is serialized.
 * **Cancellation** A cancelled receive has taken nothing, a cancelled send delivers nothing, ever.
 * **Errors** `ClosedError` for a send once it is closed; `RangeError` for a value that is too large. A channel that has
 * lost its last place is closed, with a failure whose code is `CRASHED`.
 * **Cost** No message: some compare-and-exchanges a value, and its copy. Who waits is woken once for all that is there by
 * then; take it with `tryReceive`, or `receiveMany`.
 * **Not for** a `select`, as another thread may be faster between its look and its choice: let a task receive.
 * **Source** D. Vyukov's bounded MPMC queue (2010), and his eventcount.
 *
 * @example
 * const channel = sharedChannel<number>(4);
 * const sameChannel = sharedChannel<number>(channel.handle); // in another thread
 * await sameChannel.send(5);
 * (await channel.receive()).value; //=> 5
 */
export function sharedChannel<T>(
  capacity: number | SharedChannelHandle<T>,
  options: SharedChannelOptions = {},
): SharedChannel<T> {
  return new SharedChannel<T>(capacity, options, structures);
}
