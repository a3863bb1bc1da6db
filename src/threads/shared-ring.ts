/**
 * A bounded queue in shared memory, for several senders and receivers on several threads, without a lock.
 *
 * Who sends takes the next position by moving the tail, and who receives by moving the head; then the place of that
 * position is theirs alone until they have turned it over, from free to full or back. That the tail carries the mark of
 * the close makes a close and a send one after the other, never at once: a value is either in before the close, or its
 * send is refused.
 *
 * Who finds nothing to take, or no room, marks the bell of its side, looks once more, and only then sleeps until the bell
 * rings. Who has turned a place over rings the bell if it is marked. Both look after they have written, so at least one
 * of them sees the other, and no wake-up is lost. All who sleep are woken, and not one: that one may have been given up
 * meanwhile, or be in a thread that is busy, and the others would sleep on.
 *
 * Invariants
 *   I1  Positions count from 0 up to `#wrap`, a multiple of the capacity, and begin again. The place of a position is its
 *       remainder by the capacity.
 *   I2  The turn of a place is twice a position: as it is when the place is free for that position, plus one when it is
 *       full. It only moves forward, by whoever has taken the position.
 *   I3  head <= tail <= head + capacity, counted round. Once the tail is marked, it does not move.
 *
 * **Source** D. Vyukov's bounded MPMC queue (2010); his eventcount for the bells.
 */

/** What one thread hands to another, to have both ends of one queue. */
export interface SharedRingHandle {
  /** First the words of the queue, then its places: each a turn, a word that says what is there, and the bytes of it. */
  readonly memory: SharedArrayBuffer;
  readonly capacity: number;
  /** The most bytes of a value. */
  readonly valueBytes: number;
}

/** So many words are two lines of a cache, which is what processors fetch: words of different sides share none. */
const APART = 32;
/** The next position to send to, twice, and plus one once it is closed. */
const TAIL = 0;
/** The next position to receive from. */
const HEAD = APART;
/** A bell is a count, plus one while it is marked. */
const VALUES = 2 * APART;
const ROOM = 3 * APART;
/** Whether somebody has begun to close it, and what it was closed with, as the value of a place. */
const CLOSER = 4 * APART;
const CAUSE = CLOSER + 1;
/** Where the bytes of the cause are; the places come after that. */
const CAUSE_BYTES = 5 * APART;

/** A side on which one can wait, as the word of its bell. */
export type Bell = number;
/** Rung when there is a value, or will be none any more. */
export const forValues: Bell = VALUES;
/** Rung when there is room, or will be none any more. */
export const forRoom: Bell = ROOM;

/** Positions stay below this, so that twice one and a mark fits into a word. */
const LIMIT = 2 ** 29;
/** A number as it is; what other kinds there are is not the queue's business. The bits above are the length. */
export const NUMBER = 0;
const KIND_BITS = 3;
const KINDS = 2 ** KIND_BITS - 1;

/** What became of an attempt that has put or taken nothing. */
export const NOT_NOW = -1;
export const CLOSED = -2;

/** The words of a place: its turn, what is there, and the bytes, so many that a number always has its own boundary. */
const wordsOf = (valueBytes: number): number => 2 + 2 * Math.ceil(valueBytes / 8);

/** Memory for a queue. */
export function allocateRing(capacity: number, valueBytes: number): SharedRingHandle {
  const stride = wordsOf(valueBytes);
  const first = CAUSE_BYTES + stride;
  const memory = new SharedArrayBuffer((first + capacity * stride) * Int32Array.BYTES_PER_ELEMENT);
  const words = new Int32Array(memory);
  for (let place = 0; place < capacity; place++) words[first + place * stride] = 2 * place;
  return { memory, capacity, valueBytes };
}

export class SharedRing {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  /** Of a place, and where the first one is, in words. */
  readonly #stride: number;
  readonly #first: number;
  readonly #wrap: number;
  /** What was taken last: one of them, by its kind. */
  takenNumber = 0;
  takenBytes: Uint8Array | undefined;

  constructor({ memory, capacity, valueBytes }: SharedRingHandle) {
    this.#words = new Int32Array(memory);
    this.#numbers = new Float64Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#capacity = capacity;
    this.#stride = wordsOf(valueBytes);
    this.#first = CAUSE_BYTES + this.#stride;
    this.#wrap = Math.floor(LIMIT / capacity) * capacity;
  }

  get closed(): boolean {
    return (Atomics.load(this.#words, TAIL) & 1) === 1;
  }

  /** How many values are in it, or on their way in or out; others may change that at any time. */
  get size(): number {
    const head = Atomics.load(this.#words, HEAD);
    const size = (Atomics.load(this.#words, TAIL) >> 1) - head;
    return Math.min(this.#capacity, size < 0 ? size + this.#wrap : size);
  }

  /** Whether a value could be put in now; also if one would be refused, as it is closed. */
  get sendable(): boolean {
    const word = Atomics.load(this.#words, TAIL);
    return (word & 1) === 1 || Atomics.load(this.#words, this.#placeOf(word >> 1)) === word;
  }

  /** Whether a value could be taken now; also if there will be none any more. */
  get receivable(): boolean {
    const head = Atomics.load(this.#words, HEAD);
    if (Atomics.load(this.#words, this.#placeOf(head)) === 2 * head + 1) return true;
    return Atomics.load(this.#words, TAIL) === 2 * head + 1;
  }

  /** Puts a value in, a number or bytes of some other kind, and gives its position; or why it could not. */
  put(kind: number, value: number, bytes: Uint8Array | undefined): number {
    const words = this.#words;
    const position = this.#takeTail();
    if (position < 0) return position;
    const place = this.#first + (position % this.#capacity) * this.#stride;
    if (bytes === undefined) {
      words[place + 1] = kind;
      this.#numbers[(place + 2) / 2] = value;
    } else {
      words[place + 1] = kind | (bytes.length << KIND_BITS);
      this.#bytes.set(bytes, 4 * (place + 2));
    }
    Atomics.store(words, place, 2 * position + 1);
    const bell = Atomics.load(words, VALUES);
    if ((bell & 1) === 1 && Atomics.compareExchange(words, VALUES, bell, (bell + 1) | 0) === bell)
      Atomics.notify(words, VALUES);
    return position;
  }

  /** Takes the oldest value out, and gives its kind; or why it could not. */
  take(): number {
    const words = this.#words;
    const position = this.#takeHead();
    if (position < 0) return position;
    const place = this.#first + (position % this.#capacity) * this.#stride;
    const later = position + this.#capacity;
    const what = words[place + 1] as number;
    if (what === NUMBER) this.takenNumber = this.#numbers[(place + 2) / 2] as number;
    // A copy: the place is another value's in a moment, and decoders do not take shared memory.
    else this.takenBytes = this.#bytes.slice(4 * (place + 2), 4 * (place + 2) + (what >> KIND_BITS));
    Atomics.store(words, place, 2 * (later >= this.#wrap ? later - this.#wrap : later));
    const bell = Atomics.load(words, ROOM);
    if ((bell & 1) === 1 && Atomics.compareExchange(words, ROOM, bell, (bell + 1) | 0) === bell)
      Atomics.notify(words, ROOM);
    return what & KINDS;
  }

  /** No more values; false if somebody has said so before. With a cause, which is bytes of some kind but a number. */
  close(kind: number, cause: Uint8Array | undefined): boolean {
    const words = this.#words;
    if (Atomics.exchange(words, CLOSER, 1) === 1) return false;
    if (cause !== undefined) {
      words[CAUSE] = kind | (cause.length << KIND_BITS);
      this.#bytes.set(cause, 4 * CAUSE_BYTES);
    }
    Atomics.or(words, TAIL, 1);
    Atomics.add(words, VALUES, 2);
    Atomics.notify(words, VALUES);
    Atomics.add(words, ROOM, 2);
    Atomics.notify(words, ROOM);
    return true;
  }

  /** What it was closed with, once it is closed: its kind, as if it had been taken; `NOT_NOW` if with nothing. */
  takeCause(): number {
    const what = this.#words[CAUSE] as number;
    if (what === 0) return NOT_NOW;
    this.takenBytes = this.#bytes.slice(4 * CAUSE_BYTES, 4 * CAUSE_BYTES + (what >> KIND_BITS));
    return what & KINDS;
  }

  /** Marks a bell. Who then looks once more, and sleeps if there still is nothing for it, misses nothing. */
  mark(bell: Bell): number {
    const words = this.#words;
    for (;;) {
      const word = Atomics.load(words, bell);
      if ((word & 1) === 1 || Atomics.compareExchange(words, bell, word, word | 1) === word) return word | 1;
    }
  }

  /** Sleeps, with the whole thread, until a bell rings that was marked. */
  sleep(bell: Bell, marked: number): void {
    Atomics.wait(this.#words, bell, marked);
  }

  /** The same as a promise; undefined if it has rung already. */
  ring(bell: Bell, marked: number): Promise<unknown> | undefined {
    const waited = waitAsync(this.#words, bell, marked);
    return waited.async ? waited.value : undefined;
  }

  /** The next position to send to is the caller's. */
  #takeTail(): number {
    const words = this.#words;
    for (;;) {
      const word = Atomics.load(words, TAIL);
      if ((word & 1) === 1) return CLOSED;
      const position = word >> 1;
      if (Atomics.load(words, this.#placeOf(position)) !== word) {
        // No room; or the tail has moved meanwhile.
        if (Atomics.load(words, TAIL) === word) return NOT_NOW;
        continue;
      }
      const next = position + 1 === this.#wrap ? 0 : position + 1;
      if (Atomics.compareExchange(words, TAIL, word, next << 1) === word) return position;
    }
  }

  /** The next position to receive from is the caller's. */
  #takeHead(): number {
    const words = this.#words;
    for (;;) {
      const position = Atomics.load(words, HEAD);
      if (Atomics.load(words, this.#placeOf(position)) !== 2 * position + 1) {
        const tail = Atomics.load(words, TAIL);
        // Nothing is there; or the head has moved meanwhile.
        if (Atomics.load(words, HEAD) === position) return tail === 2 * position + 1 ? CLOSED : NOT_NOW;
        continue;
      }
      const next = position + 1 === this.#wrap ? 0 : position + 1;
      if (Atomics.compareExchange(words, HEAD, position, next) === position) return position;
    }
  }

  #placeOf(position: number): number {
    return this.#first + (position % this.#capacity) * this.#stride;
  }
}

type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
) => { readonly async: false } | { readonly async: true; readonly value: Promise<unknown> };

/** Of ES2024, which every runtime of today has. */
const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };
