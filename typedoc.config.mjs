/**
 * The reference of the API. Its modules are those of `exports` in package.json, so that nothing public goes without
 * documentation; the roof, which has everything once more, comes last.
 */
import { readFileSync } from "node:fs";

const { exports } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const { ".": roof, ...modules } = exports;
const entryPoints = [...Object.values(modules), roof]
  .filter((target) => target.endsWith(".js"))
  .map((target) => target.replace("./dist/", "").replace(/\.js$/, ".ts"));

/** @type {Partial<import("typedoc").TypeDocOptions>} */
const options = {
  entryPointStrategy: "resolve",
  entryPoints,
  tsconfig: "tsconfig.build.json",
  out: "dist/docs",
  excludeInternal: true,
  excludePrivate: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  // How channels and cases meet in a select, and what only a type's own definition needs.
  intentionallyNotExported: [
    "Callable",
    "Chooser",
    "EmitOf",
    "Enrollment",
    "ItemOf",
    "Matches",
    "Member",
    "ReceiveSide",
    "ResourceInfo",
    "SendSide",
    "SharedRingHandle",
    "Streams",
    "Unmoved",
  ],
  treatWarningsAsErrors: true,
  disableSources: true,
  requiredToBeDocumented: [
    "Accessor",
    "Class",
    "Function",
    "Interface",
    "Method",
    "Property",
    "TypeAlias",
    "Variable",
  ],
  packagesRequiringDocumentation: ["concurrency-model-patterns"],
  readme: "none",
};

export default options;
