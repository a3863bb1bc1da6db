/** Tests that take longer than `npm test` may: `npm run test:long`. */
import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

export default defineConfig({
  ...base,
  // A process a file at a time: these tests look at what their process has, and may take down a thread.
  test: { ...base.test, include: ["test/**/*.long.ts"], pool: "forks", testTimeout: 600_000 },
});
