/**
 * How much memory a value takes, about: rather too much than too little.
 */

/** Values that are made of more parts than that are so large that a part more or less does not matter. */
const MOST_PARTS = 10_000;

/** A value of a key in a table. */
export function sizeOf(value: unknown): number {
  if (typeof value === "number") return 16;
  if (typeof value === "string") return 24 + 2 * value.length;
  return typeof value === "object" && value !== null ? sizeOfObject(value) : 24;
}

function sizeOfObject(value: object): number {
  const parts: unknown[] = [value];
  let size = 0;
  for (let taken = 0; taken < parts.length && taken < MOST_PARTS; taken++) {
    const part = parts[taken];
    if (typeof part !== "object" || part === null) size += sizeOf(part);
    else if (ArrayBuffer.isView(part)) size += 200 + part.byteLength;
    else {
      const held = heldBy(part);
      size += 48 + 16 * held.length;
      for (const each of held) parts.push(each);
    }
  }
  return size;
}

function heldBy(object: object): readonly unknown[] {
  if (Array.isArray(object)) return object;
  if (object instanceof Map) return [...object.keys(), ...object.values()];
  return object instanceof Set ? [...object] : Object.values(object);
}
