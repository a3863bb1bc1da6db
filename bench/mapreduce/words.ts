/** A program that counts the words of a file in one of several ways. Prints how many there are, how many different ones, and
 * the most frequent; and then the most memory that it had. */
import { createReadStream } from "node:fs";
import { countBytes } from "../../src/node/threads/mapreduce/count.ts";
import { peer } from "../peers.ts";
import type * as words from "./tally.ts";

type Count = (path: string, ...args: string[]) => Promise<readonly unknown[]>;

const ours: Count = async (path, threads) => {
  const module = new URL("./tally.js", import.meta.url);
  const counts = await countBytes<typeof words>([path], module, { threads: Number(threads) });
  const [[word, count] = ["", 0]] = await counts.top(1);
  const distinct = await counts.distinct();
  await counts[Symbol.asyncDispose]();
  return [counts.total, distinct, word, count];
};

/** What one would write. */
const naive: Count = async (path) => {
  const counts = new Map<string, number>();
  let total = 0;
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 18 })) {
    const found = (rest + (chunk as string)).toLowerCase().split(/\s+/);
    rest = found.pop() ?? "";
    for (const word of found) {
      if (word === "") continue;
      counts.set(word, (counts.get(word) ?? 0) + 1);
      total++;
    }
  }
  const [most = ["", 0]] = [...counts].toSorted(([, one], [, other]) => other - one);
  return [total, counts.size, ...most];
};

const touch: Count = async (path) => {
  let sum = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
    const bytes = chunk as Uint8Array;
    for (let at = 0; at < bytes.length; at++) sum = (sum + (bytes[at] as number)) | 0;
  }
  return [sum];
};

interface DuckDb {
  readonly DuckDBInstance: {
    create(
      path: string,
      options: Readonly<Record<string, string>>,
    ): Promise<{
      connect(): Promise<{
        runAndReadAll(sql: string): Promise<{ getRows(): readonly (readonly unknown[])[] }>;
      }>;
    }>;
  };
}

const duckdb: Count = async (path) => {
  const { DuckDBInstance } = (await peer("@duckdb/node-api")) as DuckDb;
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  const lines =
    `read_csv('${path}', columns = {'line': 'VARCHAR'}, delim = '\\x01', quote = '', escape = '', ` +
    "header = false, auto_detect = false, strict_mode = false, ignore_errors = true, max_line_size = 67108864)";
  const reader = await connection.runAndReadAll(
    `WITH counts AS (SELECT word, count(*) AS n FROM (SELECT unnest(string_split_regex(lower(line), '\\s+')) AS word
     FROM ${lines}) WHERE word <> '' GROUP BY word)
     SELECT sum(n), count(*), arg_max(word, n), max(n) FROM counts`,
  );
  return reader.getRows()[0] ?? [];
};

const [, , how = "", ...args] = process.argv;
const count = { ours, naive, touch, duckdb }[how];
if (count === undefined) throw new Error(`no way is called ${how}`);
const said = await count(args.at(-1) as string, ...args.slice(0, -1));
process.stdout.write(`${said.join(" ")}\n${process.resourceUsage().maxRSS * 1024}\n`);
