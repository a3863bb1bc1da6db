/** Size: what a page that imports a module has to load. Exact, so one round is enough. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Case, Goal, NodeVariant, Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";

/** The built files are in `build/bench`. */
const root = fileURLToPath(new URL("../../", import.meta.url));

interface EsbuildModule {
  readonly buildSync: (options: object) => {
    readonly outputFiles: readonly { readonly contents: Uint8Array }[];
  };
}

/** All that a module exports, with what it needs, in one file. */
async function bytesOf(target: string): Promise<number> {
  const { buildSync } = (await peer("esbuild-wasm")) as EsbuildModule;
  const { outputFiles } = buildSync({
    stdin: { contents: `export * from ${JSON.stringify(target)};`, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    external: ["node:*"],
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`${target} gave no file`);
  return gzipSync(file.contents, { level: 9 }).length;
}

const moduleOf = (target: string): NodeVariant => ({
  who: "ours",
  setUp: async () => {
    const bytes = await bytesOf(target);
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
    modules.map(([subpath, target]) => [nameOf(subpath), moduleOf(target)]),
  );
  return { name, operation, unit: "B", operations: 1, rounds: 1, variants, goals };
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

const LOADED = "bundled, minified and compressed with gzip";

export const size: Subject = {
  name: "size",
  title: "Size",
  cases: [
    caseOf("whole", `everything that the package's own name exports, ${LOADED}`, modules.filter(isWhole), [
      { of: "everything", atMost: 25_000 },
    ]),
    caseOf(
      "primitives",
      `a module with all that it needs, ${LOADED}`,
      modules.filter((module) => !isWhole(module) && !isPattern(module) && !isExtra(module)),
      [{ of: "channel", atMost: 3000 }],
    ),
    caseOf("patterns", `a module with all that it needs, ${LOADED}`, modules.filter(isPattern)),
    caseOf("extras", `a module with all that it needs, ${LOADED}`, modules.filter(isExtra)),
  ],
};
