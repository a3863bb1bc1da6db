/**
 * Shows any value in a few characters, for the event log. The work is bounded too, whatever the value: it may be a
 * megabyte, refer to itself, or throw when it is looked at.
 */

const LONGEST = 40;
/** So many members of an array or object are looked at. */
const MEMBERS = 5;

/** A value in a few characters. Never throws. */
export function preview(value: unknown): string {
  try {
    const text = shown(value, 2);
    return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  } catch {
    return typeof value;
  }
}

function shown(value: unknown, depth: number): string {
  if (typeof value === "string")
    return depth === 2 ? value.slice(0, LONGEST + 1) : JSON.stringify(value.slice(0, LONGEST));
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength})`;
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name}(${value.size})`;
  if (depth === 0) return Array.isArray(value) ? "[…]" : "{…}";
  return Array.isArray(value) ? list(value, depth) : record(value, depth);
}

function list(values: readonly unknown[], depth: number): string {
  const members = values.slice(0, MEMBERS).map((member) => shown(member, depth - 1));
  return `[${members.join(",")}${values.length > MEMBERS ? ",…" : ""}]`;
}

function record(value: object, depth: number): string {
  const members: string[] = [];
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    if (members.length === MEMBERS) return `{${members.join(",")},…}`;
    members.push(`${JSON.stringify(key)}:${shown((value as Record<string, unknown>)[key], depth - 1)}`);
  }
  return `{${members.join(",")}}`;
}
