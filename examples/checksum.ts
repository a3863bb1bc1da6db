/** Fan-out/fan-in on real input: files go out to threads, and their checksums come back in the order of the files. */
import type { Context } from "concurrency-model-patterns/context";
import { fanOut } from "concurrency-model-patterns/fan";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { threadPool } from "concurrency-model-patterns/threads";
import { Ticker } from "concurrency-model-patterns/timers";
import type * as functions from "./checksum-thread.ts";
import { checksumOf } from "./checksum-thread.ts";
import { defineInputDemo, type Input } from "./input-demo.ts";
import { threads } from "./parameters.ts";

/** So many checksums may wait for that of an earlier, larger file. */
const AHEAD = 1000;
const PROGRESS_MS = 100;

type Summed =
  | { readonly input: Input; readonly digest: string }
  | { readonly input: Input; readonly error: unknown };

/** As `sha256sum` prints it: a name of several lines is one line, and a backslash in front says so. */
function lineOf(digest: string, name: string): string {
  const escaped = name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${escaped === name ? "" : "\\"}${digest}  ${escaped}`;
}

/** Tells again and again how far the threads have got, which count in memory that they share. */
async function tellProgress(
  read: BigInt64Array,
  progress: (bytes: number) => void,
  ctx: Context,
): Promise<void> {
  using ticker = new Ticker(PROGRESS_MS);
  for (;;) {
    await ticker.receive(ctx);
    progress(Number(Atomics.load(read, 0)));
  }
}

export const inputDemo = defineInputDemo({
  about: "prints the SHA-256 of each, as sha256sum does",
  files: "FILE...",
  inputs: "each",
  parameters: { threads },

  needsThreads: () => true,

  async run({ params, ctx, inputs, host, print, progress, skip }) {
    const files = inputs.filter(({ path }) => path !== undefined).length;
    const workers = Math.max(1, Math.min(params.threads || host.cores, files));
    const read = new BigInt64Array(new SharedArrayBuffer(8));
    await using pool = threadPool<typeof functions>(new URL("./checksum-thread.js", import.meta.url), {
      workers,
      name: "checksum",
    });

    async function sum(input: Input): Promise<Summed> {
      const { path, problem } = input;
      try {
        if (problem !== undefined) throw problem;
        // What is no file, such as a pipe, nobody else can read.
        const digest = await (path === undefined
          ? checksumOf(input.open(), read)
          : pool.run("checksum", { path, read }, ctx));
        return { input, digest };
      } catch (error) {
        return { input, error };
      }
    }

    const sums = fanOut(inputs, sum, {
      workers: Math.min(AHEAD, Math.max(1, inputs.length)),
      ordered: true,
      signal: ctx.signal,
    });
    await TaskGroup.run(async (group) => {
      group.go((telling) => tellProgress(read, progress, telling));
      for await (const summed of sums) {
        if ("digest" in summed) print(lineOf(summed.digest, summed.input.given));
        else skip(summed.input, summed.error);
      }
      group.cancel();
    }, ctx);
  },
});
