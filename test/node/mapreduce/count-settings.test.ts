import { totalmem } from "node:os";
import { expect, test } from "vitest";
import { countSettings } from "../../../src/node/mapreduce/count/settings.ts";

const threads = 2;
const withMemory = (memoryMb: number) => countSettings({ threads, memoryMb });

test("by default a count takes a quarter of the memory that there is", () => {
  expect(countSettings({ threads }, 400_000_000)).toEqual(withMemory(100));
});

test("by default a count takes what its threads need at least, however little there is", () => {
  expect(countSettings({ threads }, 1_000_000)).toEqual(withMemory(4 * threads));
});

test("by default a count takes 512 MB at most", () => {
  expect(countSettings({ threads }, 1e12)).toEqual(withMemory(512));
});

test("a count knows how much memory there is", () => {
  const { sharedPages } = countSettings({ threads });
  expect(sharedPages).toBeLessThanOrEqual(countSettings({ threads }, totalmem()).sharedPages);
  expect(sharedPages).toBeGreaterThan(withMemory(4 * threads).sharedPages);
});
