import { describe, expect, test } from "vitest";
import { beginLike } from "../../../../src/patterns/mapreduce/byte-counts/begin-like.ts";
import { PAGE_BYTES, TableMemory } from "../../../../src/patterns/mapreduce/byte-counts/memory.ts";
import { ByteTable } from "../../../../src/patterns/mapreduce/byte-counts/table.ts";

/** Adds keys whose hashes are spread, as those of real keys are. False if there was no room for one. */
function fill(table: ByteTable, keys: number): boolean {
  for (let key = 0; key < keys; key++) {
    if (!table.addShort(Math.imul(key, 0x9e37_79b1), 4, key, 0, 0, 0, 1)) return false;
  }
  return true;
}

describe("a table that begins like it was", () => {
  test("is empty, and takes as many keys again without splitting a page", () => {
    const table = new ByteTable(TableMemory.whole(1000 * PAGE_BYTES));
    table.begin(6);
    expect(fill(table, 30_000)).toBe(true);
    expect(table.size).toBe(30_000);
    beginLike(table, 6);
    expect([table.size, table.memory.taken, [...table.entries()]]).toEqual([0, 256, []]);
    expect(fill(table, 30_000)).toBe(true);
    expect([table.size, table.memory.taken]).toEqual([30_000, 256]);
  });

  test("has no fewer pages than it is told, and gives at most half of its memory to them", () => {
    const table = new ByteTable(TableMemory.whole(100 * PAGE_BYTES));
    table.begin(6);
    fill(table, 10);
    beginLike(table, 3);
    expect(table.memory.taken).toBe(8);
    expect(fill(table, 40_000)).toBe(false);
    beginLike(table, 3);
    expect([table.size, table.memory.taken]).toEqual([0, 32]);
  });
});

test("memory that grows keeps what is there", () => {
  const table = new ByteTable(TableMemory.growing(1000 * PAGE_BYTES));
  table.begin(0);
  expect(fill(table, 5000)).toBe(true);
  expect(fill(table, 5000)).toBe(true);
  const { floats } = table.memory;
  expect(table.size).toBe(5000);
  expect(Array.from(table.entries(), (entry) => floats[entry * 4 + 1])).toEqual(Array(5000).fill(2));
});
