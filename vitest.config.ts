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

/**
 * A thread begins with a file that the host loads itself, and what the host loads is what was built. Its other side is
 * the source, as everything is in the tests.
 */
const threadsOfTheBuild = {
  name: "threads-of-the-build",
  transform(code: string, id: string): string | undefined {
    const [, folder] = /\/(src\/node\/[a-z/]+)\/[a-z-]+\.ts$/.exec(id) ?? [];
    if (folder === undefined) return undefined;
    return code.replace('"./entry.js"', JSON.stringify(new URL(`dist/${folder}/entry.js`, root).href));
  },
};

export default defineConfig({
  plugins: [threadsOfTheBuild],
  resolve: { alias },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/peers/**"],
    setupFiles: ["./test/support/leak-check.ts"],
    reporters: ["default", "./test/support/tally-reporter.ts"],
    // Files share a thread, which saves a third of the time; the check after each test holds that none leaves anything.
    pool: "threads",
    maxWorkers: 2,
    isolate: false,
    // A watchdog, far from what a busy machine needs: most tests are so much work, and wait for nothing.
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
