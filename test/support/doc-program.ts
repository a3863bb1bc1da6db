/**
 * What the compiler knows of the public modules and of the examples: names, clashes, missing examples, mistakes of type.
 */
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { type Example, publicModules } from "./doc-examples.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A public name. */
interface PublicName {
  readonly name: string;
  /** The first module that exports it. */
  readonly specifier: string;
  /** What it stands for, however often it is exported again. */
  readonly symbol: ts.Symbol;
}

/** The public modules, compiled with the project's own options. */
export class PublicApi {
  readonly #options: ts.CompilerOptions;
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #names: readonly PublicName[];

  constructor() {
    this.#options = projectOptions();
    const files = publicModules().map(({ file }) => root + file);
    this.#program = ts.createProgram(files, this.#options);
    this.#checker = this.#program.getTypeChecker();
    this.#names = publicModules().flatMap(({ specifier, file }) =>
      this.#exportsOf(file).map((symbol) => ({
        name: symbol.name,
        specifier,
        symbol: this.#resolved(symbol),
      })),
    );
  }

  /** Names that stand for different things in different modules, each with where it comes from. */
  clashes(): string[] {
    const byName = new Map<string, PublicName[]>();
    for (const use of this.#names) byName.set(use.name, [...(byName.get(use.name) ?? []), use]);
    return [...byName]
      .filter(([, uses]) => new Set(uses.map(({ symbol }) => symbol)).size > 1)
      .map(([name, uses]) => `${name}: ${uses.map(({ specifier }) => specifier).join(", ")}`);
  }

  /** Public classes and functions of some folders that have no `@example`; errors need none. */
  withoutExample(folders: readonly string[]): string[] {
    const missing = [...new Set(this.#names.map(({ symbol }) => symbol))].flatMap((symbol) => {
      const declarations = (symbol.declarations ?? []).filter(
        (node) => ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node),
      );
      const [first] = declarations;
      if (first === undefined || this.#isError(symbol) || declarations.some(hasExample)) return [];
      const file = posix.relative(root, first.getSourceFile().fileName);
      return folders.some((folder) => file.startsWith(`${folder}/`))
        ? [placeIn(file, first, symbol.name)]
        : [];
    });
    return missing.toSorted();
  }

  /** Checks the types of all examples. Gives the mistakes, each with its file and line. */
  mistakesIn(examples: readonly Example[]): string[] {
    const virtual = new Map(examples.map((example, index) => [virtualPath(example, index), example]));
    const texts = new Map([...virtual].map(([path, example]) => [path, this.#moduleOf(example)]));
    // What an example declares only to show it is no mistake; nor is it that its types are imported as values are.
    const lenient = { noUnusedLocals: false, noUnusedParameters: false, verbatimModuleSyntax: false };
    const options = { ...this.#options, ...lenient };
    const host = ts.createCompilerHost(options, true);
    const known = (path: string, language: ts.ScriptTarget): ts.SourceFile | undefined => {
      const text = texts.get(path);
      if (text !== undefined) return ts.createSourceFile(path, text, language, true);
      return this.#program.getSourceFile(path);
    };
    const virtualHost: ts.CompilerHost = {
      ...host,
      fileExists: (path) => texts.has(path) || host.fileExists(path),
      readFile: (path) => texts.get(path) ?? host.readFile(path),
      getSourceFile: (path, options) => {
        const language = typeof options === "object" ? options.languageVersion : options;
        return known(path, language) ?? host.getSourceFile(path, options);
      },
    };
    const program = ts.createProgram([...texts.keys()], options, virtualHost);
    return [...virtual].flatMap(([path, example]) => mistakes(program, path, example));
  }

  #exportsOf(file: string): readonly ts.Symbol[] {
    const source = this.#program.getSourceFile(root + file);
    const module = source === undefined ? undefined : this.#checker.getSymbolAtLocation(source);
    return module === undefined ? [] : this.#checker.getExportsOfModule(module);
  }

  #resolved(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }

  #isError(symbol: ts.Symbol): boolean {
    const declared = this.#checker.getDeclaredTypeOfSymbol(symbol);
    const bases = declared.isClass() ? this.#checker.getBaseTypes(declared) : [];
    return (
      symbol.name === "Error" ||
      bases.some((base) => base.symbol.name === "Error" || this.#isError(base.symbol))
    );
  }

  /** The example as a module. Its code begins in the second line, so that lines can be told. */
  #moduleOf(example: Example): string {
    if (example.kind === "page") return `export {};\n${example.code}\n`;
    const used = identifiersIn(example.code);
    const own = new Set(this.#exportsOf(example.file).map(({ name }) => name));
    const imports = new Map<string, string>();
    for (const { name, specifier } of this.#names) {
      if (used.has(name) && !imports.has(name)) imports.set(name, specifier);
    }
    for (const name of own) if (used.has(name)) imports.set(name, `./${posix.basename(example.file)}`);
    const lines = [...imports].map(([name, specifier]) => `import { ${name} } from "${specifier}";`);
    return `${lines.join(" ")} export async function example(): Promise<void> {\n${example.code}\n}\n`;
  }
}

function projectOptions(): ts.CompilerOptions {
  const fail = (diagnostic: ts.Diagnostic): never => {
    throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
  };
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail };
  const config = ts.getParsedCommandLineOfConfigFile(`${root}tsconfig.json`, undefined, host);
  if (config === undefined) throw new Error("tsconfig.json cannot be read");
  return config.options;
}

function hasExample(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some((tag) => tag.tagName.text === "example");
}

function placeIn(file: string, node: ts.Node, name: string): string {
  const { line } = node.getSourceFile().getLineAndCharacterOfPosition(node.getStart());
  return `${file}:${line + 1}: ${name}`;
}

/** Beside the file that holds the example, so that what it imports is found as from there. */
function virtualPath({ file }: Example, index: number): string {
  return posix.join(root, posix.dirname(file), `example-${index}.virtual.ts`);
}

function identifiersIn(code: string): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("example.ts", `${code}\nexport {};`, ts.ScriptTarget.Latest, true));
  return found;
}

function mistakes(program: ts.Program, path: string, example: Example): string[] {
  const source = program.getSourceFile(path);
  if (source === undefined) throw new Error(`${path} is not part of the program`);
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return found.map((mistake) => {
    const { line } = ts.getLineAndCharacterOfPosition(source, mistake.start ?? 0);
    const text = ts.flattenDiagnosticMessageText(mistake.messageText, "\n  ");
    return `${example.file}:${example.line + Math.max(line - 1, 0)}: (${example.symbol}) ${text}`;
  });
}
