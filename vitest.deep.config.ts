/** The long form of the tests: `npm run test:deep`; `DEEP_SHARE=0.01` does a hundredth of it. */
import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/deep/*.deep.ts"],
    // A thread cannot be given a collector of its own.
    pool: "forks",
    execArgv: ["--expose-gc"],
    testTimeout: 6 * 3_600_000,
  },
});
