/**
 * A bounded queue in shared memory, for several senders and receivers on several threads, without a lock.
 *
 * Who sends takes the next position by moving the tail, and who receives by moving the head; then the place of that
 * position is theirs alone until they have turned it over, from free to full or back. That the tail carries the mark of
 * the close makes a close and a send one after the other, never at once: a value is either in before the close, or its
 * send is refused. Who finds nothing to take, or no room, waits for the bell of its side; see {@link markBell}.
 *
 * Invariants
 *   I1  Positions count from 0 up to `#wrap`, a multiple of the capacity, and begin again. The place of a position is its
 *       remainder by the capacity.
 *   I2  The turn of a place is twice a position: as it is when the place is free for that position, plus one when it is
 *       full. It only moves forward, by whoever has taken the position.
 *   I3  head <= tail, counted round, and no more than `capacity` positions between them are full. Once the tail is
 *       marked, it does not move.
 *   I4  A place whose turn is `LOST` is nobody's, for ever: both sides pass it over. It becomes so by the hand of one who
 *       has waited for long for whoever has begun on it and may have died. If that one has not, its turn does not come
 *       off: a value that it was putting goes to another place, and one that it was taking it has.
 *
 * **Source** D. Vyukov's bounded MPMC queue (2010).
 */
import { type Bell, bellRings, markBell, PATIENCE_MS, ringBell, ringIfMarked } from "./shared-bell.ts";

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
/** The turn of a place that has none any more; and what a queue was closed with that has no other places. */
export const LOST = -3;

/** A turn that somebody has begun and not ended. */
interface Begun {
  /** As a word. */
  readonly place: number;
  readonly turn: number;
}

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
    if ((word & 1) === 1) return true;
    const turn = Atomics.load(this.#words, this.#placeOf(word >> 1));
    return turn === word || turn === LOST;
  }

  /** Whether a value could be taken now; also if there will be none any more. */
  get receivable(): boolean {
    const head = Atomics.load(this.#words, HEAD);
    const turn = Atomics.load(this.#words, this.#placeOf(head));
    const tail = Atomics.load(this.#words, TAIL);
    return turn === 2 * head + 1 || tail === 2 * head + 1 || (turn === LOST && tail !== 2 * head);
  }

  /** Puts a value in, a number or bytes of some other kind, and gives its position; or why it could not. */
  put(kind: number, value: number, bytes: Uint8Array | undefined): number {
    const words = this.#words;
    const position = this.#takeTail();
    if (position < 0) return position;
    const place = this.#placeOf(position);
    if (bytes === undefined) {
      words[place + 1] = kind;
      this.#numbers[(place + 2) / 2] = value;
    } else {
      words[place + 1] = kind | (bytes.length << KIND_BITS);
      this.#bytes.set(bytes, 4 * (place + 2));
    }
    const turn = Atomics.compareExchange(words, place, 2 * position, 2 * position + 1);
    if (turn === LOST) return this.put(kind, value, bytes);
    ringIfMarked(words, VALUES);
    return position;
  }

  /** Takes the oldest value out, and gives its kind; or why it could not. */
  take(): number {
    const words = this.#words;
    const position = this.#takeHead();
    if (position < 0) return position;
    const place = this.#placeOf(position);
    const later = this.#shifted(position, this.#capacity);
    const what = words[place + 1] as number;
    if (what === NUMBER) this.takenNumber = this.#numbers[(place + 2) / 2] as number;
    // A copy: the place is another value's in a moment, and decoders do not take shared memory.
    else this.takenBytes = this.#bytes.slice(4 * (place + 2), 4 * (place + 2) + (what >> KIND_BITS));
    Atomics.compareExchange(words, place, 2 * position + 1, 2 * later);
    ringIfMarked(words, ROOM);
    return what & KINDS;
  }

  /** No more values; false if somebody has said so before. With a cause, which is bytes of some kind but a number. */
  close(kind: number, cause: Uint8Array | undefined): boolean {
    const words = this.#words;
    const isFirst = Atomics.exchange(words, CLOSER, 1) === 0;
    if (!isFirst && this.closed) return false;
    // Who was first may have died over it: then this one closes it, without a cause.
    if (isFirst && cause !== undefined) {
      this.#bytes.set(cause, 4 * CAUSE_BYTES);
      words[CAUSE] = kind | (cause.length << KIND_BITS);
    }
    this.#end();
    return true;
  }

  /** What it was closed with, once it is closed: its kind, as if it had been taken, or `LOST`; `NOT_NOW` if nothing. */
  takeCause(): number {
    const what = this.#words[CAUSE] as number;
    if (what === 0) return NOT_NOW;
    if (what === LOST) return LOST;
    this.takenBytes = this.#bytes.slice(4 * CAUSE_BYTES, 4 * CAUSE_BYTES + (what >> KIND_BITS));
    return what & KINDS;
  }

  /** Marks a bell: see {@link markBell}. */
  mark(bell: Bell): number {
    return markBell(this.#words, bell);
  }

  /** Sleeps, with the whole thread, until a bell rings that was marked, or for a while: look again. */
  sleep(bell: Bell, marked: number): void {
    const begun = this.#begun(bell);
    if (Atomics.wait(this.#words, bell, marked, PATIENCE_MS) === "timed-out") this.#giveUp(bell, begun);
  }

  /** The same as a promise; undefined if it has rung already. */
  ring(bell: Bell, marked: number): Promise<void> | undefined {
    const begun = this.#begun(bell);
    const rings = bellRings(this.#words, bell, marked);
    return rings?.then((how) => (how === "timed-out" ? this.#giveUp(bell, begun) : undefined));
  }

  #end(): void {
    const words = this.#words;
    Atomics.or(words, TAIL, 1);
    ringBell(words, VALUES);
    ringBell(words, ROOM);
  }

  /** The next position to send to is the caller's. */
  #takeTail(): number {
    const words = this.#words;
    for (let lost = 0; ; ) {
      const word = Atomics.load(words, TAIL);
      if ((word & 1) === 1) return CLOSED;
      const position = word >> 1;
      const turn = Atomics.load(words, this.#placeOf(position));
      if (turn === LOST) {
        if (++lost > this.#capacity) return this.#nothingLeft();
      } else if (turn !== word) {
        // No room; or the tail has moved meanwhile.
        if (Atomics.load(words, TAIL) === word) return NOT_NOW;
        continue;
      }
      const moved = Atomics.compareExchange(words, TAIL, word, this.#shifted(position, 1) << 1) === word;
      if (moved && turn !== LOST) return position;
    }
  }

  /** The next position to receive from is the caller's. */
  #takeHead(): number {
    const words = this.#words;
    for (;;) {
      const position = Atomics.load(words, HEAD);
      const turn = Atomics.load(words, this.#placeOf(position));
      if (turn !== 2 * position + 1) {
        const tail = Atomics.load(words, TAIL);
        // The head has moved meanwhile; or nothing was sent; or not yet.
        if (Atomics.load(words, HEAD) !== position) continue;
        if (tail >> 1 === position) return (tail & 1) === 1 ? CLOSED : NOT_NOW;
        if (turn !== LOST) return NOT_NOW;
      }
      const moved = Atomics.compareExchange(words, HEAD, position, this.#shifted(position, 1)) === position;
      if (moved && turn !== LOST) return position;
    }
  }

  /** The turn that keeps a side waiting: somebody has taken its position and has not done with it. */
  #begun(bell: Bell): Begun | undefined {
    const words = this.#words;
    const [head, tail] = [Atomics.load(words, HEAD), Atomics.load(words, TAIL) >> 1];
    const before = this.#shifted(tail, this.#wrap - this.#capacity);
    const isPast = this.#shifted(before, this.#wrap - head) >= this.#shifted(tail, this.#wrap - head);
    if (bell === VALUES ? head === tail : !isPast) return undefined;
    const place = this.#placeOf(bell === VALUES ? head : tail);
    const turn = bell === VALUES ? 2 * head : 2 * before + 1;
    return Atomics.load(words, place) === turn ? { place, turn } : undefined;
  }

  /** It has not come to an end for long: then the place is lost, be it only that a thread is slow. */
  #giveUp(bell: Bell, begun: Begun | undefined): void {
    const still = begun === undefined ? undefined : this.#begun(bell);
    if (still === undefined || still.place !== begun?.place || still.turn !== begun.turn) return;
    const turn = Atomics.compareExchange(this.#words, still.place, still.turn, LOST);
    if (turn === still.turn) ringIfMarked(this.#words, bell);
  }

  /** Every place is lost. */
  #nothingLeft(): typeof CLOSED {
    if (Atomics.exchange(this.#words, CLOSER, 1) === 0) this.#words[CAUSE] = LOST;
    this.#end();
    return CLOSED;
  }

  /** A position so much later. */
  #shifted(position: number, by: number): number {
    const shifted = position + by;
    return shifted >= this.#wrap ? shifted - this.#wrap : shifted;
  }

  #placeOf(position: number): number {
    return this.#first + (position % this.#capacity) * this.#stride;
  }
}
