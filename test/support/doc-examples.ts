/**
 * Finds the examples of the documentation and runs them: each `@example` in src, and each ```ts block in the pages.
 *
 * In an example, a line `expression; //=> value` is a claim: the expression must equal the value. In an `@example` every
 * public name is in scope. A block of a page is a module of its own, which imports what it uses.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileFunction } from "node:vm";
import ts from "typescript";
import { expect } from "vitest";
import { plainly } from "./idle-clock.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** An example, and where it stands. */
export interface Example {
  /** Relative to the root of the project. */
  readonly file: string;
  /** The line of the file in which the code begins, from 1. */
  readonly line: number;
  /** What it is an example of: `Class.member`, a function, or the place in a page. */
  readonly symbol: string;
  readonly code: string;
  /** An `@example`, or a block of a page. */
  readonly kind: "doc" | "page";
  /** False for a block that says `no-run`. */
  readonly runs: boolean;
}

/** One of the `exports` of package.json. */
export interface PublicModule {
  /** As users write it. */
  readonly specifier: string;
  /** The source, relative to the root of the project. */
  readonly file: string;
}

/** The public modules, in the order of package.json. */
export function publicModules(): PublicModule[] {
  const { name, exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    readonly name: string;
    readonly exports: Readonly<Record<string, string>>;
  };
  return Object.entries(exports)
    .filter(([, target]) => target.startsWith("./dist/"))
    .map(([subpath, target]) => ({
      specifier: `${name}${subpath.slice(1)}`,
      file: target.replace("./dist/", "").replace(/\.js$/, ".ts"),
    }));
}

/** Every `@example` in the sources. */
export function docExamples(): Example[] {
  return filesIn("src", ".ts").flatMap(examplesOf);
}

/** Relative to the root of the project, in order. */
function filesIn(folder: string, ending: string): string[] {
  const files = readdirSync(root + folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`)
    .toSorted();
}

function examplesOf(file: string): Example[] {
  const source = ts.createSourceFile(file, readFileSync(root + file, "utf8"), ts.ScriptTarget.Latest, true);
  const examples: Example[] = [];
  const visit = (node: ts.Node): void => {
    for (const doc of ts.getJSDocCommentsAndTags(node)) {
      if (!ts.isJSDoc(doc) || doc.parent !== node) continue;
      const tags = (doc.tags ?? []).filter((tag) => tag.tagName.text === "example");
      for (const [index, tag] of tags.entries()) {
        const symbol = index === 0 ? nameOf(node) : `${nameOf(node)} (${index + 1})`;
        examples.push({ file, symbol, kind: "doc", runs: true, ...codeOf(source, tag) });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return examples;
}

/** The text of a tag without the stars. Not TypeScript's reading of it, which knows of links and not of code. */
function codeOf(source: ts.SourceFile, tag: ts.JSDocTag): { readonly line: number; readonly code: string } {
  const text = source.text.slice(tag.tagName.end, tag.end).replace(/\s*\*\/$/, "");
  const lines = text.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
  const first = lines.findIndex((line) => line.trim() !== "");
  const { line } = source.getLineAndCharacterOfPosition(tag.tagName.end);
  const skipped = Math.max(first, 0);
  return { line: line + 1 + skipped, code: lines.slice(skipped).join("\n").trimEnd() };
}

function nameOf(node: ts.Node): string {
  const names: string[] = [];
  for (let at: ts.Node | undefined = node; at !== undefined && !ts.isSourceFile(at); at = at.parent) {
    const named = ts.isVariableStatement(at) ? at.declarationList.declarations[0] : at;
    const name = named === undefined ? undefined : ts.getNameOfDeclaration(named as ts.Declaration);
    if (name !== undefined) names.unshift(name.getText());
  }
  return names.join(".");
}

/** Every ```ts block of the README and the pages. */
export function pageExamples(): Example[] {
  const pages = ["README.md", ...filesIn("docs", ".md")];
  return pages.flatMap((file) => blocksOf(file, readFileSync(root + file, "utf8")));
}

/** The ```ts blocks of a page. A word that it does not know, and a block that does not end, are errors. */
export function blocksOf(file: string, text: string): Example[] {
  const examples: Example[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*)$/.exec(lines[at] ?? "");
    if (fence === null) continue;
    const [, indent = "", marks = "", language = "", words = ""] = fence;
    const end = lines.findIndex((line, index) => index > at && line.trim() === marks);
    if (end < 0) throw new Error(`${file}:${at + 1}: the block does not end`);
    if (language === "ts" || language === "typescript") {
      const unknown = words.split(/\s+/).find((word) => word !== "" && word !== "no-run");
      if (unknown !== undefined)
        throw new Error(`${file}:${at + 1}: unknown word "${unknown}" after ${marks}ts`);
      const code = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
      const place = { file, line: at + 2, symbol: `line ${at + 1}` };
      examples.push({ ...place, code: code.join("\n"), kind: "page", runs: words === "" });
    }
    at = end;
  }
  return examples;
}

/** A claim: `line` counts from 1 within the example. */
interface Claim {
  readonly line: number;
  readonly expression: ts.Expression;
  readonly value: string;
}

/** Turns every `expression; //=> value` into a call of `$claim`. The lines stay the same. */
function withClaims(example: Example): { readonly code: string; readonly lines: readonly number[] } {
  const { code } = example;
  const source = ts.createSourceFile("example.ts", `${code}\nexport {};`, ts.ScriptTarget.Latest, true);
  const claims = claimsOf(source);
  const marked = code.split("\n").flatMap((line, index) => (line.includes("//=>") ? [index + 1] : []));
  const stray = marked.find((line) => !claims.some((claim) => claim.line === line));
  if (stray !== undefined) {
    throw new Error(`${placeOf(example, stray)}: //=> must follow an expression that is a statement`);
  }
  const inserts = claims.flatMap(({ line, expression, value }) => [
    { at: expression.getStart(), text: `$claim(${line}, (` },
    { at: expression.end, text: `), () => (${value}))` },
  ]);
  let text = code;
  for (const insert of inserts.toSorted((a, b) => b.at - a.at)) {
    text = text.slice(0, insert.at) + insert.text + text.slice(insert.at);
  }
  return { code: text, lines: marked };
}

function claimsOf(source: ts.SourceFile): Claim[] {
  const claims: Claim[] = [];
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isExpressionStatement(node)) return;
    const value = /^[ \t]*\/\/=>(.*)/.exec(source.text.slice(node.end))?.[1]?.trim();
    const line = source.getLineAndCharacterOfPosition(node.end).line + 1;
    if (value !== undefined) claims.push({ line, expression: node.expression, value });
  };
  visit(source);
  return claims;
}

function placeOf({ file, line }: Example, within = 1): string {
  return `${file}:${line + within - 1}`;
}

/** What examples are run with. */
export interface Scope {
  /** The public modules by specifier. */
  readonly modules: ReadonlyMap<string, object>;
  /** The modules that could not be imported, with the reason. */
  readonly failed: ReadonlyMap<string, unknown>;
}

/** Imports every public module. */
export async function publicScope(): Promise<Scope> {
  const modules = new Map<string, object>();
  const failed = new Map<string, unknown>();
  for (const { specifier, file } of publicModules()) {
    try {
      modules.set(specifier, await importFile(file));
    } catch (error) {
      failed.set(specifier, error);
    }
  }
  return { modules, failed };
}

async function importFile(file: string): Promise<object> {
  return (await import(/* @vite-ignore */ root + file)) as object;
}

/** Runs an example. Every claim must hold, and must have been reached; an `@example` must make one. */
export async function runExample(example: Example, scope: Scope): Promise<void> {
  const { code, lines } = withClaims(example);
  if (example.kind === "doc" && lines.length === 0) {
    throw new Error(`${placeOf(example)}: the example of ${example.symbol} has no line with //=>`);
  }
  const unreached = new Set(lines);
  const broken: Error[] = [];
  const claim = (line: number, actual: unknown, value: () => unknown): void => {
    unreached.delete(line);
    try {
      expect(actual).toEqual(value());
    } catch (cause) {
      const text = example.code.split("\n")[line - 1]?.trim();
      broken.push(new Error(`${placeOf(example, line)}: ${text}\n${textOf(cause)}`, { cause }));
    }
  };
  try {
    const [names, imports] = [await namesFor(example, scope), await importsOf(example, scope)];
    const run = (): Promise<void> => compiled(example, code, names, imports, claim);
    await (leavesThread(example) ? run() : plainly(run));
  } catch (cause) {
    if (broken.length === 0) throw new Error(`${placeOf(example)}: ${textOf(cause)}`, { cause });
  }
  if (broken[0] !== undefined) throw broken[0];
  const [missed] = unreached;
  if (missed !== undefined) throw new Error(`${placeOf(example, missed)}: this //=> was never reached`);
}

/** Whether it is about other threads, processes or files: then time cannot jump, as it would not for them. */
function leavesThread({ file, code }: Example): boolean {
  return (
    /^src\/(node|threads)\/|^docs\/threads/.test(file) ||
    /concurrency-model-patterns\/(node|threads)|"node:/.test(code)
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The code in a function of its own, inside one whose parameters are the names: so it may declare them anew. */
async function compiled(
  example: Example,
  code: string,
  names: ReadonlyMap<string, unknown>,
  imports: ReadonlyMap<string, unknown>,
  claim: (line: number, actual: unknown, value: () => unknown) => void,
): Promise<void> {
  const { outputText, diagnostics = [] } = ts.transpileModule(`${code}\nexport {};`, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS },
  });
  const [mistake] = diagnostics;
  if (mistake !== undefined) {
    const { line = 0 } = mistake.file?.getLineAndCharacterOfPosition(mistake.start ?? 0) ?? {};
    const text = ts.flattenDiagnosticMessageText(mistake.messageText, "\n");
    throw new SyntaxError(`${text} (line ${example.line + line})`);
  }
  const load = (specifier: string): unknown => imports.get(specifier);
  const parameters = new Map<string, unknown>([
    ...names,
    ["require", load],
    ["exports", {}],
    ["$claim", claim],
  ]);
  const body = `return (async () => {\n${outputText}\n})();`;
  const run = compileFunction(body, [...parameters.keys()], { filename: root + example.file });
  await (run(...parameters.values()) as Promise<void>);
}

/** In an `@example`: all public names, and before them those of its own file, which need not be a public module. */
async function namesFor(example: Example, { modules }: Scope): Promise<Map<string, unknown>> {
  if (example.kind === "page") return new Map();
  const all = [...modules.values(), await importFile(example.file)];
  return new Map(all.flatMap((module) => Object.entries(module)));
}

async function importsOf(example: Example, { modules }: Scope): Promise<Map<string, unknown>> {
  const imports = new Map<string, unknown>();
  for (const { fileName } of ts.preProcessFile(example.code).importedFiles) {
    imports.set(fileName, modules.get(fileName) ?? (await import(/* @vite-ignore */ fileName)));
  }
  return imports;
}
