/**
 * Writes the transcripts in README.md by running the commands they show; with --check, fails if one is out of date.
 *
 * A transcript is a block that begins with `$ npx cmp-pattern …` and is marked `console`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const readme = new URL("../README.md", import.meta.url);
const command = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

const text = readFileSync(readme, "utf8");
let count = 0;
const written = text.replace(/```console\n\$ npx cmp-pattern (.*)\n[^]*?```/g, (_, args) => {
  count++;
  const output = execFileSync(process.execPath, [command, ...args.split(" "), "--speed", "max"], {
    encoding: "utf8",
  });
  return `\`\`\`console\n$ npx cmp-pattern ${args}\n${output}\`\`\``;
});

if (!process.argv.includes("--check")) {
  writeFileSync(readme, written);
  process.stdout.write(`${count} transcripts written\n`);
} else if (written === text && count > 0) {
  process.stdout.write(`${count} transcripts are up to date\n`);
} else {
  process.stderr.write("README.md: a transcript is out of date; run `npm run docs:transcripts`\n");
  process.exitCode = 1;
}
