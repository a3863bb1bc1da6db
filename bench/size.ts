/** Size: what a page that imports a module has to load. Counted and not timed, so one round is enough. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Case, Goal, NodeVariant, Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";

/** The built files are in `build/bench`. */
const root = fileURLToPath(new URL("../../", import.meta.url));

interface EsbuildModule {
  readonly build: (options: object) => Promise<{
    readonly outputFiles: readonly { readonly path: string; readonly contents: Uint8Array }[];
  }>;
}

/** Each public module with all that it needs, in one file; all at once, as the bundler takes long to start. */
async function bundleAll(): Promise<ReadonlyMap<string, number>> {
  const { build } = (await peer("esbuild-wasm")) as EsbuildModule;
  const outdir = join(root, "bundles");
  const { outputFiles } = await build({
    entryPoints: modules.map(([subpath, target]) => ({ in: target, out: nameOf(subpath) })),
    absWorkingDir: root,
    outdir,
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    external: ["node:*"],
  });
  const sizes = outputFiles.map(
    ({ path, contents }) => [path, gzipSync(contents, { level: 9 }).length] as const,
  );
  return new Map(sizes.map(([path, bytes]) => [path.slice(outdir.length + 1, -".js".length), bytes]));
}

let bundled: Promise<ReadonlyMap<string, number>> | undefined;

const moduleOf = (name: string): NodeVariant => ({
  who: "ours",
  setUp: async () => {
    bundled ??= bundleAll();
    const bytes = (await bundled).get(name);
    if (bytes === undefined) throw new Error(`${name} gave no file`);
    return () => bytes;
  },
});

function caseOf(
  name: string,
  operation: string,
  modules: readonly (readonly [string, string])[],
  goals: readonly Goal[] = [],
): Case {
  const variants = Object.fromEntries(
    modules.map(([subpath]) => [nameOf(subpath), moduleOf(nameOf(subpath))]),
  );
  return { name, operation, unit: "B", counted: true, operations: 1, rounds: 1, variants, goals };
}

const nameOf = (subpath: string): string => (subpath === "." ? "everything" : subpath.slice(2));

const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  readonly exports: Readonly<Record<string, string>>;
};
const modules = Object.entries(exports).filter(([, target]) => target.endsWith(".js"));
const isWhole = ([subpath]: readonly [string, string]): boolean => subpath === ".";
const isPattern = ([subpath, target]: readonly [string, string]): boolean =>
  target.startsWith("./dist/src/patterns/") && !subpath.slice(2).includes("/");
const isExtra = ([subpath]: readonly [string, string]): boolean => subpath.slice(2).includes("/");

/** Shares are of the text before it is compressed. */
const WHOLE =
  "The twelve patterns and their extras are 74 % of it, the primitives 19 %, what they stand on 7 %. Nobody has to load all: a " +
  "bundler takes what is imported, and each module has its size below.";
const CHANNEL =
  "What a channel does when it is full takes 577 bytes, without which it would be 2,924: it is asked for by a word, so no bundler " +
  "can leave it out. Else, of the text before it is compressed: 27 % is the channel itself, 18 % cancelling, by contexts and " +
  "by signals, 9 % a waiter, 7 % the host's turns. No timers, no chance, and nothing that observes: that comes with those " +
  "who use it. Tried, and not smaller when compressed: a list of waiters closed to a ring, a switch for the checks.";

const LOADED = "bundled, minified and compressed with gzip";

export const size: Subject = {
  name: "size",
  title: "Size",
  cases: [
    caseOf("whole", `everything that the package's own name exports, ${LOADED}`, modules.filter(isWhole), [
      { of: "everything", atMost: 25_000, note: WHOLE },
    ]),
    caseOf(
      "primitives",
      `a module with all that it needs, ${LOADED}`,
      modules.filter((module) => !isWhole(module) && !isPattern(module) && !isExtra(module)),
      [{ of: "channel", atMost: 3000, note: CHANNEL }],
    ),
    caseOf("patterns", `a module with all that it needs, ${LOADED}`, modules.filter(isPattern)),
    caseOf("extras", `a module with all that it needs, ${LOADED}`, modules.filter(isExtra)),
  ],
};
