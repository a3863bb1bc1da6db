import { defineConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

/**
 * The comparison with the peers: its own run, because they are not installed with the project; without the leak check,
 * because they do leave timers behind; and in processes, as no thread takes `--expose-gc`.
 */
export default defineConfig({
  ...shared,
  root: new URL("../..", import.meta.url).pathname,
  test: {
    ...shared.test,
    include: ["test/peers/*.test.ts"],
    exclude: [],
    setupFiles: [],
    pool: "forks",
    execArgv: ["--expose-gc"],
  },
});
