import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The package's own name leads to its sources, by the one list of public modules. */
const root = new URL(".", import.meta.url);
const { name, exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
  name: string;
  exports: Record<string, string>;
};
const alias = Object.entries(exports)
  .filter(([, target]) => target.startsWith("./dist/"))
  .map(([subpath, target]) => ({
    find: new RegExp(`^${name}${subpath.slice(1)}$`),
    replacement: fileURLToPath(new URL(target.replace("./dist/", "./").replace(/\.js$/, ".ts"), root)),
  }));

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/peers/**"],
    setupFiles: ["./test/support/leak-check.ts"],
    reporters: ["default", "./test/support/tally-reporter.ts"],
    maxWorkers: 2,
    // Files share a process, which saves a third of the time; the check after each test holds that none leaves anything.
    isolate: false,
    testTimeout: 30_000,
  },
});
