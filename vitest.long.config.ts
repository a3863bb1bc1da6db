/** Tests that take longer than `npm test` may: `npm run test:long`. */
import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

export default defineConfig({
  ...base,
  test: { ...base.test, include: ["test/**/*.long.ts"], testTimeout: 600_000 },
});
