/** The command: how long it takes as a whole, from its start to its end. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";

/** As it is published. The built files of the benchmarks are in `build/bench`. */
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const empty = fileURLToPath(new URL("empty.js", import.meta.url));

/** Runs a program so many times. Gives milliseconds, as a process takes. */
const program =
  (args: readonly string[], says: RegExp): (() => Rounds) =>
  () =>
  (times) => {
    const startedMs = performance.now();
    for (let n = 0; n < times; n++)
      check(says.test(execFileSync(process.execPath, args, { encoding: "utf8" })), true);
    return (performance.now() - startedMs) / times;
  };

const nothing: NodeVariant = {
  who: "floor",
  idiom: "a module that is empty",
  setUp: program([empty], /^$/),
};

export const command: Subject = {
  name: "command",
  title: "The command",
  manyCores: true,
  cases: [
    {
      name: "help",
      operation: "a process of Node from its start to its end",
      unit: "ms",
      operations: { full: 5, quick: 2 },
      variants: {
        "cmp-pattern --help": { who: "ours", setUp: program([main, "--help"], /--pipeline/) },
        "cmp-pattern --pipeline": {
          who: "ours",
          idiom: "a demo, with --speed max",
          setUp: program([main, "--pipeline", "--seed", "1", "--speed", "max"], /Result: /),
        },
        node: nothing,
      },
      goals: [{ of: "cmp-pattern --help", versus: "node", atMost: 1.3 }],
    },
  ],
};
