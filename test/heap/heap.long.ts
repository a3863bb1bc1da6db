import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";

/** `npm run test:deep` does 100,000 of each under the same bound. Some hundred KiB are noise, however few they are. */
const OPERATIONS = 10_000;
const MOST_BYTES = 1024 * 1024;

beforeAll(buildIfStale);

test("the heap does not grow with the operations of any primitive or pattern", () => {
  const script = fileURLToPath(new URL("measure.mjs", import.meta.url));
  const args = ["--expose-gc", script, String(OPERATIONS)];
  const grown = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Record<
    string,
    number
  >;
  expect(Object.keys(grown).length).toBeGreaterThan(25);
  expect(Object.entries(grown).filter(([, bytes]) => bytes > MOST_BYTES)).toEqual([]);
});
