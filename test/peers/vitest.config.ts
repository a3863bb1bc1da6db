import { defineConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

/** The comparison with the peers: its own run, because they are not installed with the project. */
export default defineConfig({
  ...shared,
  root: new URL("../..", import.meta.url).pathname,
  test: { ...shared.test, include: ["test/peers/*.test.ts"], exclude: [], execArgv: ["--expose-gc"] },
});
