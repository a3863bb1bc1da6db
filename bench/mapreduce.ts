/** MapReduce: the words of real text, counted by whole programs: how long they take, and how much memory at most. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { goBinary } from "./harness/processes.ts";
import { check, type NodeVariant, type Rounds, type Subject, type Who } from "./harness/subject.ts";
import { corpus } from "./mapreduce/corpus.ts";

/** How much is counted: an operation is a million bytes. */
const MEGABYTES = { full: 500, quick: 100 };

const STARTED =
  "At 100 MB a quarter of what it takes is spent before a word is counted: of 2.4 s of the processors' time, 0.6 s is Node, two " +
  "threads, and the modules that each of the three loads; Go takes 1.5 s in all. More goes to V8, which compiles in each thread " +
  "what each runs. Counting itself takes about what it takes Go: 1.6 s with the start of Node, in one thread of a loop over the same " +
  "table. Measured on cores that others used too. Tried: splits of 1 to 33 MB, and entries that never span two lines of the cache (no " +
  "difference).";
const THREADS_TAKE =
  "Before they count, Node and two threads that have loaded the library take 77 MB; Go takes 80 MB in all for 100 MB of text.";

const words = fileURLToPath(new URL("./mapreduce/words.js", import.meta.url));

/** A program that is given a file, and prints what the words come to, and the most memory that it had, in bytes. */
type Program = readonly [file: string, ...args: string[]];

interface Ended {
  readonly said: string;
  readonly tookMs: number;
  readonly mostBytes: number;
}

async function ended([file, ...args]: Program, path: string): Promise<Ended> {
  const startedMs = performance.now();
  const child = spawn(file, [...args, path], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
  });
  const [code] = (await once(child, "close")) as [number];
  check(code, 0);
  const [said = "", mostBytes] = output.trim().split("\n");
  return { said, tookMs: performance.now() - startedMs, mostBytes: Number(mostBytes) };
}

/** All that count by the same rule must say the same: the first of them has told what. */
function agree(path: string, said: string): void {
  const told = `${path}.counts`;
  if (!existsSync(told)) writeFileSync(told, said);
  check(said, readFileSync(told, "utf8"));
}

const variant = (
  who: Who,
  idiom: string,
  program: Program,
  figure: "tookMs" | "mostBytes",
  exact: boolean,
): NodeVariant => ({
  who,
  idiom,
  setUp: (): Rounds => async (megabytes) => {
    const path = corpus(megabytes * 1e6);
    const end = await ended(program, path);
    if (exact) agree(path, end.said);
    return end[figure];
  },
});

const node = (...args: string[]): Program => [process.execPath, words, ...args];

const variants = (figure: "tookMs" | "mostBytes"): Readonly<Record<string, NodeVariant>> => ({
  "ours, 1 thread": variant("ours", "countBytes", node("ours", "1"), figure, true),
  "ours, 2 threads": variant("ours", "countBytes", node("ours", "2"), figure, true),
  // It leaves out lines that are no UTF-8, and knows more kinds of spaces and of upper case.
  DuckDB: variant("peer", "2 threads", node("duckdb"), figure, false),
  "split and Map": variant("naive", "", node("naive"), figure, false),
  "read only": variant("floor", "every byte is looked at", node("touch"), figure, false),
  "Go, 1 goroutine": variant("go", "a map", [goBinary, "words", "1"], figure, true),
  "Go, 2 goroutines": variant("go", "a map each, then merged", [goBinary, "words", "2"], figure, true),
});

export const mapreduce: Subject = {
  name: "mapreduce",
  title: "MapReduce",
  cases: [
    {
      name: "words",
      operation:
        "a program that counts the words of 500 MB of text (100 MB in a quick run), and tells the most frequent",
      unit: "ms",
      operations: MEGABYTES,
      rounds: 3,
      variants: variants("tookMs"),
      goals: [
        { of: "ours, 2 threads", versus: "Go, 2 goroutines", atLeast: 1, note: STARTED },
        { of: "ours, 2 threads", versus: "ours, 1 thread", atLeast: 1.4, note: STARTED },
        { of: "ours, 2 threads", versus: "DuckDB", atLeast: 2 },
        { of: "ours, 2 threads", versus: "split and Map", atLeast: 4 },
      ],
    },
    {
      name: "words, memory",
      operation: "the same programs: the most memory that a process had",
      unit: "B",
      operations: MEGABYTES,
      rounds: 1,
      variants: variants("mostBytes"),
      goals: [{ of: "ours, 2 threads", versus: "Go, 2 goroutines", atMost: 1, note: THREADS_TAKE }],
    },
  ],
};
