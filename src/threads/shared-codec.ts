/**
 * Values as bytes in shared memory. Numbers and bytes are written as they are; what has structure goes through a codec of
 * the host.
 */
import { ConcurrencyError } from "../core/errors.ts";
import { errorOf, recordOf, textOf } from "./error-record.ts";
import { LOST, NOT_NOW, NUMBER, type SharedRing } from "./shared-ring.ts";

/** Turns a value with structure into bytes, and back. */
export interface StructureCodec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** What a place holds that is no number. */
const kind = { undefined: 1, null: 2, false: 3, true: 4, text: 5, bytes: 6, structure: 7 } as const;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();
const nothing = new Uint8Array();

export class SharedCodec {
  readonly #ring: SharedRing;
  readonly #valueBytes: number;
  readonly #structures: StructureCodec;

  constructor(ring: SharedRing, valueBytes: number, structures: StructureCodec) {
    this.#ring = ring;
    this.#valueBytes = valueBytes;
    this.#structures = structures;
  }

  /** Puts a value into the queue, as `put` of that. Throws, and puts none, if it is too large or cannot be copied. */
  put(value: unknown): number {
    if (typeof value === "number") return this.#ring.put(NUMBER, value, undefined);
    // Not for nothing: who waits for room tries again and again.
    if (!this.#ring.sendable) return NOT_NOW;
    const bytes = this.#bytesOf(value);
    if (bytes.length > this.#valueBytes) {
      throw new RangeError(
        `a value of ${bytes.length} bytes does not fit into valueBytes, which is ${this.#valueBytes}`,
      );
    }
    return this.#ring.put(kindOf(value), 0, bytes);
  }

  /** The value of that kind that the queue gave last. Throws if its structure cannot be read. */
  taken(kindTaken: number): unknown {
    if (kindTaken === NUMBER) return this.#ring.takenNumber;
    const bytes = this.#ring.takenBytes ?? nothing;
    this.#ring.takenBytes = undefined;
    switch (kindTaken) {
      case kind.undefined:
        return undefined;
      case kind.null:
        return null;
      case kind.text:
        return fromUtf8.decode(bytes);
      case kind.bytes:
        return bytes;
      case kind.structure:
        return this.#structures.decode(bytes);
      default:
        return kindTaken === kind.true;
    }
  }

  /** Closes the queue with an error, or as much of it as fits and can be copied; false if it was closed before. */
  close(error: unknown): boolean {
    if (error === undefined) return this.#ring.close(0, undefined);
    const record = this.#structures.encode(recordOf(error));
    if (record.length <= this.#valueBytes) return this.#ring.close(kind.structure, record);
    const text = utf8.encode(textOf(error));
    return this.#ring.close(kind.text, text.subarray(0, this.#valueBytes));
  }

  /** What the closed queue was closed with: a copy of it, or an error that says as much of it as did fit. */
  cause(): { readonly error: unknown } | undefined {
    const kindTaken = this.#ring.takeCause();
    if (kindTaken === NOT_NOW) return undefined;
    if (kindTaken === LOST)
      return { error: new ConcurrencyError("CRASHED", "every place of the channel was lost with a thread") };
    const cause = this.taken(kindTaken);
    const whole = kindTaken === kind.structure;
    return { error: whole ? errorOf(cause as Parameters<typeof errorOf>[0]) : new Error(cause as string) };
  }

  #bytesOf(value: unknown): Uint8Array {
    switch (kindOf(value)) {
      case kind.text:
        return utf8.encode(value as string);
      case kind.bytes:
        return value as Uint8Array;
      case kind.structure:
        return this.#structures.encode(value);
      default:
        return nothing;
    }
  }
}

function kindOf(value: unknown): number {
  if (value === undefined) return kind.undefined;
  if (value === null) return kind.null;
  if (typeof value === "boolean") return value ? kind.true : kind.false;
  if (typeof value === "string") return isWellFormed(value) ? kind.text : kind.structure;
  return value instanceof Uint8Array && value.constructor === Uint8Array ? kind.bytes : kind.structure;
}

/** Halves of pairs, which no UTF-8 can hold. */
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
