/** The command: writes the page about performance, its pictures and the README's block from the JSON of a run. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { PICTURES, reportOf, resultsOf } from "./report/files.ts";

const root = new URL("../../", import.meta.url);
const inRoot = (path: string): URL => new URL(path, root);

const [, , file] = process.argv;
if (file === undefined) {
  process.stderr.write(
    "npm run bench:report -- FILE.json: the file that npm run bench -- --json FILE.json has written\n",
  );
  process.exitCode = 2;
} else {
  const files = reportOf(resultsOf(readFileSync(file, "utf8")), readFileSync(inRoot("README.md"), "utf8"));
  // No picture stays of a subject that is no more.
  rmSync(inRoot(PICTURES), { recursive: true, force: true });
  mkdirSync(inRoot(PICTURES), { recursive: true });
  for (const [path, text] of files) {
    writeFileSync(inRoot(path), text);
    process.stdout.write(`${path}\n`);
  }
}
