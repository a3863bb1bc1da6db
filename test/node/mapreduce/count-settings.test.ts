import { expect, test, vi } from "vitest";
import { countSettings } from "../../../src/node/mapreduce/count/settings.ts";

/** What the container allows for. */
const container = vi.hoisted(() => ({ bytes: 0 }));
vi.mock("node:process", async (original) => ({
  ...(await original<object>()),
  constrainedMemory: () => container.bytes,
}));

const threads = 2;
const withMemory = (memoryMb: number) => countSettings({ threads, memoryMb });

/** What is meant by default where a container allows for so much. */
function defaultWithin(bytes: number) {
  container.bytes = bytes;
  return countSettings({ threads });
}

test("by default a count takes a quarter of what its container has", () => {
  expect(defaultWithin(400_000_000)).toEqual(withMemory(100));
});

test("by default a count takes what its threads need at least, however little there is", () => {
  expect(defaultWithin(1_000_000)).toEqual(withMemory(4 * threads));
});

test.each([0, 2 ** 64])("by default a count takes 512 MB at most, where nothing bounds it (%i)", (bytes) => {
  expect(defaultWithin(bytes).sharedPages).toBeLessThanOrEqual(withMemory(512).sharedPages);
  expect(defaultWithin(bytes).sharedPages).toBeGreaterThan(withMemory(64).sharedPages);
});
