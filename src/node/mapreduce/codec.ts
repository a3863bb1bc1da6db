/**
 * Keys and values as bytes. The order of the bytes of keys is the order of keys.
 */
import { deserialize, serialize } from "node:v8";
import { refuseType } from "../../core/arguments.ts";
import type { MapReduceKey } from "./job.ts";
import { readText, roomForText, writeText } from "./text.ts";

/** The first byte says what follows. Of keys, numbers come before strings. */
const NUMBER = 1;
const TEXT = 2;
const SMALL = 3;
const OBJECT = 4;

const NUMBER_BYTES = 9;

const numbers = new DataView(new ArrayBuffer(8));

/** A key as it is compared: there is one zero. */
export function requireKey(key: unknown): MapReduceKey {
  if (typeof key === "string") return key;
  if (typeof key === "number") return key + 0;
  return refuseType("key", "a string or a number", key);
}

/** How many bytes a key may take. */
export function roomForKey(key: MapReduceKey): number {
  return typeof key === "string" ? 1 + roomForText(key) : NUMBER_BYTES;
}

/** Writes a key where there is room for it, and says where it ends. */
export function writeKey(key: MapReduceKey, bytes: Uint8Array, at: number): number {
  if (typeof key === "string") {
    bytes[at] = TEXT;
    return writeText(key, bytes, at + 1);
  }
  bytes[at] = NUMBER;
  numbers.setFloat64(0, Number.isNaN(key) ? Number.NaN : key);
  // A number below zero has its first bit set, and grows with its bytes the wrong way.
  const below = numbers.getUint8(0) >= 0x80;
  for (let index = 0; index < 8; index++) {
    const byte = numbers.getUint8(index);
    bytes[at + 1 + index] = below ? ~byte : index === 0 ? byte | 0x80 : byte;
  }
  return at + NUMBER_BYTES;
}

/** The key that was written. */
export function readKey(bytes: Uint8Array): MapReduceKey {
  if (bytes[0] === TEXT) return readText(bytes.subarray(1));
  const above = (bytes[1] as number) >= 0x80;
  for (let index = 0; index < 8; index++) {
    const byte = bytes[1 + index] as number;
    numbers.setUint8(index, above ? (index === 0 ? byte & 0x7f : byte) : ~byte);
  }
  return numbers.getFloat64(0);
}

/** A value on its way to bytes: what is no number and no string is bytes already. */
export type Packed = number | string | Uint8Array;

/** Takes a value as it is now. Throws if it cannot be copied. */
export function pack(value: unknown): Packed {
  return typeof value === "number" || typeof value === "string" ? value : serialize(value);
}

/** How many bytes it may take. */
export function roomForValue(packed: Packed): number {
  if (typeof packed === "number") return NUMBER_BYTES;
  return 1 + (typeof packed === "string" ? roomForText(packed) : packed.length);
}

/** Writes a value where there is room for it, and says where it ends. */
export function writeValue(packed: Packed, bytes: Uint8Array, at: number): number {
  if (typeof packed === "number") return writeNumber(packed, bytes, at);
  if (typeof packed === "string") {
    bytes[at] = TEXT;
    return writeText(packed, bytes, at + 1);
  }
  bytes[at] = OBJECT;
  bytes.set(packed, at + 1);
  return at + 1 + packed.length;
}

/** Most numbers are counts, and small. */
function writeNumber(value: number, bytes: Uint8Array, at: number): number {
  if (value >= 0 && value < 0x100 && Number.isInteger(value) && !Object.is(value, -0)) {
    bytes[at] = SMALL;
    bytes[at + 1] = value;
    return at + 2;
  }
  bytes[at] = NUMBER;
  numbers.setFloat64(0, value);
  for (let index = 0; index < 8; index++) bytes[at + 1 + index] = numbers.getUint8(index);
  return at + NUMBER_BYTES;
}

/** The value that was written. */
export function readValue(bytes: Uint8Array): unknown {
  const [kind] = bytes;
  if (kind === SMALL) return bytes[1];
  if (kind === TEXT) return readText(bytes.subarray(1));
  // A copy: arrays in it would share its memory, and the bytes are a reader's.
  if (kind === OBJECT) return deserialize(bytes.slice(1));
  for (let index = 0; index < 8; index++) numbers.setUint8(index, bytes[1 + index] as number);
  return numbers.getFloat64(0);
}

/** A value as bytes of its own. */
export function bytesOfValue(value: unknown): Uint8Array {
  const packed = pack(value);
  const bytes = new Uint8Array(roomForValue(packed));
  return bytes.subarray(0, writeValue(packed, bytes, 0));
}
