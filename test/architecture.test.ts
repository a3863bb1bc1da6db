/**
 * The rules of the house, held by a test: who may import whom, what may be touched where, and that the list of public
 * modules is the truth.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

function filesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file))
    .toSorted();
}

function sourceOf(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.ES2022, true);
}

/** Calls `visit` with every node of a file. */
function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** What a file imports in any way: import, export from, import(), import types. */
function specifiersOf(file: string): string[] {
  const found: string[] = [];
  walk(sourceOf(file), (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined) found.push((node.moduleSpecifier as ts.StringLiteral).text);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push((node.argument.literal as ts.StringLiteral).text);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      found.push(argument !== undefined && ts.isStringLiteral(argument) ? argument.text : "<computed>");
    }
  });
  return found;
}

const sources = filesIn("src");
const imports = new Map(sources.map((file) => [file, specifiersOf(file)]));

/** A relative import as a file of the project. */
function targetOf(file: string, specifier: string): string {
  return relative(root, join(root, dirname(file), specifier));
}

/** `src/sync/channel.ts` is on the floor `sync`. */
const floorOf = (file: string): string => file.split("/")[1] ?? "";

/** The pattern to which a file belongs: its name, or that of its folder. */
const patternOf = (file: string): string => (file.split("/")[2] ?? "").replace(/\.ts$/, "");

const below: Record<string, readonly string[]> = {
  core: ["core"],
  sync: ["core", "sync"],
  patterns: ["core", "sync", "patterns"],
  testing: ["core", "sync", "testing"],
  threads: ["core", "sync", "patterns", "threads"],
  // What only Node has.
  node: ["core", "sync", "patterns", "threads", "node"],
  // The roof: everything that is public, under one name.
  "index.ts": ["core", "sync", "patterns", "testing"],
};

describe("imports", () => {
  test("are all relative files that exist: no package, and nothing of Node but in src/node", () => {
    const wrong: string[] = [];
    for (const [file, specifiers] of imports) {
      for (const specifier of specifiers) {
        if (floorOf(file) === "node" && specifier.startsWith("node:")) continue;
        // A thread loads the module whose functions it calls.
        if (file.endsWith("/entry.ts") && specifier === "<computed>") continue;
        if (!specifier.startsWith(".") || !existsSync(join(root, targetOf(file, specifier))))
          wrong.push(`${file}: ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("go strictly down: core, then sync, then patterns and testing", () => {
    const wrong: string[] = [];
    for (const [file, specifiers] of imports) {
      for (const target of specifiers.map((specifier) => targetOf(file, specifier))) {
        if (below[floorOf(file)]?.includes(floorOf(target)) !== true) wrong.push(`${file} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("of a pattern never lead to another pattern", () => {
    const wrong: string[] = [];
    for (const [file, specifiers] of imports) {
      if (floorOf(file) !== "patterns") continue;
      for (const target of specifiers.map((specifier) => targetOf(file, specifier))) {
        if (floorOf(target) === "patterns" && patternOf(target) !== patternOf(file))
          wrong.push(`${file} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("of the roof lead to public modules only, and nobody imports the roof", () => {
    const exported = new Set(Object.values(packageJson().exports).map((target) => sourceFor(target)));
    const roof = "src/index.ts";
    const targets = (imports.get(roof) ?? []).map((specifier) => targetOf(roof, specifier));
    expect(targets.filter((target) => !exported.has(target))).toEqual([]);
    const under = [...imports].filter(([file, specifiers]) =>
      specifiers.some((to) => targetOf(file, to) === roof),
    );
    expect(under).toEqual([]);
  });

  test("of `testing` are made by nobody else", () => {
    const wrong = [...imports].filter(
      ([file, specifiers]) =>
        floorOf(file) !== "testing" &&
        specifiers.some((specifier) => floorOf(targetOf(file, specifier)) === "testing"),
    );
    expect(wrong).toEqual([]);
  });

  test("make no circle, not even of types", () => {
    const circles: string[] = [];
    const state = new Map<string, "open" | "done">();
    const path: string[] = [];
    const visit = (file: string): void => {
      if (state.get(file) === "done") return;
      if (state.get(file) === "open") {
        circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
        return;
      }
      state.set(file, "open");
      path.push(file);
      for (const specifier of imports.get(file) ?? []) visit(targetOf(file, specifier));
      path.pop();
      state.set(file, "done");
    };
    for (const file of sources) visit(file);
    expect(circles).toEqual([]);
  });

  test("of examples and of the command lead to public modules only", () => {
    const { exports } = packageJson();
    const wrong: string[] = [];
    for (const file of [...filesIn("examples"), ...filesIn("cli")]) {
      for (const specifier of specifiersOf(file)) {
        const own = specifier.startsWith(".") && !targetOf(file, specifier).startsWith("src/");
        const exported =
          specifier.startsWith("concurrency-model-patterns/") &&
          exports[specifier.replace("concurrency-model-patterns", ".")] !== undefined;
        // What the threads of an example call is a program for Node.
        const forNode = file.startsWith("cli/") || file.endsWith("-thread.ts");
        const node = forNode && specifier.startsWith("node:");
        // The user's own module, by whatever path.
        if (file === "cli/host.ts" && specifier === "<computed>") continue;
        if (!own && !exported && !node) wrong.push(`${file}: ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("the one seam", () => {
  const hostTime = [
    "Date",
    "performance",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "clearTimeout",
    "MessageChannel",
  ];
  const hostOnly = ["process", "Buffer", "require", "window", "document", "__dirname"];
  const leaky: readonly (readonly [string, string])[] = [
    ["Math", "random"],
    ["Promise", "race"],
    ["AbortSignal", "any"],
    ["AbortSignal", "timeout"],
  ];

  /** Whether an identifier stands for a global: not a property, not a key, not a declared name. */
  function isReference(node: ts.Identifier): boolean {
    const { parent } = node;
    if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
    if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent))
      return parent.name !== node;
    return true;
  }

  function usesOf(file: string): string[] {
    const found: string[] = [];
    walk(sourceOf(file), (node) => {
      if (ts.isIdentifier(node) && [...hostTime, ...hostOnly].includes(node.text) && isReference(node))
        found.push(node.text);
      if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return;
      for (const [object, property] of leaky) {
        if (node.expression.text === object && node.name.text === property)
          found.push(`${object}.${property}`);
      }
      if (node.expression.text === "globalThis") found.push(`globalThis.${node.name.text}`);
    });
    return found;
  }

  test("is where time and chance come from: nothing else touches the host's", () => {
    const allowed: Record<string, readonly string[]> = {
      "src/core/clock.ts": [...hostTime, "globalThis.setImmediate"],
      "src/core/random.ts": ["Math.random"],
    };
    const wrong = [...sources, ...filesIn("examples")].flatMap((file) =>
      usesOf(file)
        .filter((use) => allowed[file]?.includes(use) !== true)
        .map((use) => `${file}: ${use}`),
    );
    expect(wrong).toEqual([]);
  });
});

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly exports: Record<string, string>;
  readonly dependencies?: Record<string, string>;
}

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PackageJson;
}

/** The source of a built file. */
function sourceFor(target: string): string {
  return target.replace("./dist/", "").replace(/\.js$/, ".ts");
}

describe("the list of public modules", () => {
  const { exports, dependencies } = packageJson();
  const modules = Object.entries(exports).filter(([subpath]) => subpath !== "./package.json");

  test.each(modules)("%s has a source, and the name of its file", (subpath, target) => {
    const source = sourceFor(target);
    expect(existsSync(join(root, source))).toBe(true);
    const name = subpath === "." ? "src" : subpath.slice(2);
    expect(`/${source.replace(/\/index\.ts$/, ".ts")}`.endsWith(`/${name}.ts`)).toBe(true);
  });

  test("holds every pattern, and every module of `sync` that is not a part of another", () => {
    const parts = new Set([
      "after-func",
      "parallel-map",
      "ports",
      "registration",
      "select-cases",
      "source",
      "task-handle",
      "timer",
    ]);
    const expected = sources.filter((file) => {
      const [, floor, name = ""] = file.split("/");
      const direct = file.split("/").length === 3;
      return direct && (floor === "patterns" || (floor === "sync" && !parts.has(name.replace(/\.ts$/, ""))));
    });
    const exported = new Set(modules.map(([, target]) => sourceFor(target)));
    expect(expected.filter((file) => !exported.has(file))).toEqual([]);
  });

  test("is told in the README, and an extra in the list of the patterns' pages too", () => {
    const [readme, list] = ["README.md", "docs/patterns/README.md"].map((file) =>
      readFileSync(join(root, file), "utf8").split("\n"),
    );
    const isTold = (name: string): boolean => {
      const [pattern = "", extra] = name.split("/");
      const row = readme?.find(
        (line) => line.startsWith(`| \`${pattern}\``) || line.startsWith(`| [\`${pattern}\`]`),
      );
      if (extra === undefined) return row !== undefined;
      const short = row?.includes(`\`/${extra}\``) ?? readme?.some((line) => line.includes(`\`${name}\``));
      return short === true && list?.some((line) => line.startsWith(`| \`${name}\``)) === true;
    };
    const names = modules.map(([subpath]) => subpath.slice(2)).filter((name) => name !== "");
    expect(names.filter((name) => !isTold(name))).toEqual([]);
  });

  test("needs no other package at run time", () => {
    expect(dependencies ?? {}).toEqual({});
  });

  test("tells its version truly", () => {
    expect(readFileSync(join(root, "src/core/version.ts"), "utf8")).toContain(`"${packageJson().version}"`);
  });
});

describe("files", () => {
  test("are never longer than 300 lines", () => {
    const long = [...sources, ...filesIn("cli"), ...filesIn("examples")]
      .map((file) => [file, readFileSync(join(root, file), "utf8").trimEnd().split("\n").length] as const)
      .filter(([, lines]) => lines > 300);
    expect(long).toEqual([]);
  });

  test("have names in kebab-case and no default export", () => {
    const wrong = sources.filter((file) => {
      const defaults = sourceOf(file).statements.some((statement) => ts.isExportAssignment(statement));
      return defaults || !/^src(\/[a-z]+(-[a-z]+)*)+\.ts$/.test(file);
    });
    expect(wrong).toEqual([]);
  });
});
