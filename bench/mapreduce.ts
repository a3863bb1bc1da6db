/** MapReduce: the words of real text, counted by whole programs: how long they take, and how much memory at most. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { goBinary } from "./harness/processes.ts";
import { check, type NodeVariant, type Rounds, type Subject, type Who } from "./harness/subject.ts";
import { corpus } from "./mapreduce/corpus.ts";

/** How much is counted: an operation is a million bytes. */
const MEGABYTES = { full: 500, quick: 20 };

const STARTED =
  "Of 1.25 s for 100 MB, in the quietest of some runs, where Go took 1.05: 0.2 s is Node and the 80 modules of the caller, 0.15 s " +
  "two threads with 33 modules each, 0.3 s the first 8 MB, as V8 compiles in each thread what each runs. The other 92 MB take 0.5 s, " +
  "which is half of what they take Go. Of 2.2 s of the processors, against 1.4 to 1.6, Node takes 0.12, each thread 0.1, and all " +
  "modules 0.24. Tried, without a difference: splits of 1 to 33 MB, entries that never span two lines of the cache, threads that share the " +
  "environment, begin with a text, or may have small heaps. Not done: that the one that leads counts in the place of a thread, as " +
  "the caller's event loop would stand still.";
const TWICE =
  "What each thread compiles and loads is done twice, and what comes before there are threads is done by one: of 1.7 s with one thread " +
  "and 1.3 s with two, 0.35 s are over before either counts.";
const THREADS_TAKE =
  "A process of Node has 41 MB, with two threads that do nothing 61, and 78 when they have counted nothing; Go takes 80 MB in all for 100 " +
  "MB of text. Threads with small heaps take no less.";

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
  manyCores: true,
  cases: [
    {
      name: "words",
      operation:
        "a program that counts the words of 500 MB of text (20 MB in a quick run), and tells the most frequent",
      unit: "ms",
      operations: MEGABYTES,
      rounds: 3,
      variants: variants("tookMs"),
      goals: [
        { of: "ours, 2 threads", versus: "Go, 2 goroutines", atLeast: 1, note: STARTED },
        { of: "ours, 2 threads", versus: "ours, 1 thread", atLeast: 1.4, note: TWICE },
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
