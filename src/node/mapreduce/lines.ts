/**
 * Results as lines of text.
 */
import { giveTurn } from "../../core/fairness.ts";
import { currentRuntime } from "../../core/runtime.ts";
import type { Context } from "../../sync/context.ts";
import { readKey, readValue } from "./codec.ts";
import type { MapReduceKey } from "./job.ts";
import type { WriteOrder } from "./orders.ts";
import { OpenFile } from "./open-file.ts";
import { RunReader } from "./runs.ts";

/** How a module shows its results. */
export interface LineJob<K, R> {
  /** A result as a line, without its end. */
  readonly line?: ((key: K, result: R) => string) | undefined;
}

/**
 * A result as a line of text, without its end: what the job's own `line` makes of it, or else the key, a tab, and the
 * result: a string as it is, anything else as JSON has it.
 *
 * @example
 * resultLine({}, "to", 2); //=> "to\t2"
 */
export function resultLine<K extends MapReduceKey, R>(job: LineJob<K, R>, key: K, result: R): string {
  if (job.line !== undefined) return job.line(key, result);
  return `${key}\t${typeof result === "string" ? result : (JSON.stringify(result) ?? "")}`;
}

/** So much text is written at once. */
const TEXT_LENGTH = 1 << 16;

/** Writes the results of a partition, sorted by key, one a line, and sees that they are on the disk. */
export async function writeLines(
  job: LineJob<MapReduceKey, unknown>,
  { run, file }: WriteOrder,
  ctx: Context,
): Promise<void> {
  const runtime = currentRuntime();
  const reader = new RunReader(run);
  const out = OpenFile.toWrite(file, 0o666);
  try {
    let text = "";
    while (reader.next()) {
      text += `${resultLine(job, readKey(reader.key), readValue(reader.value))}\n`;
      if (text.length < TEXT_LENGTH) continue;
      out.write(encoder.encode(text));
      text = "";
      const turn = giveTurn(runtime);
      if (turn !== undefined) await turn;
      if (ctx.error !== undefined) throw ctx.cause;
    }
    out.write(encoder.encode(text));
    out.sync();
  } finally {
    out.close();
    reader.close();
  }
}

const encoder = new TextEncoder();
