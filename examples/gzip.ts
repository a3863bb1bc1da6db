/** Worker pools on real input: blocks of files are compressed by a pool of threads, and each file is put together here. */
import { fanOut } from "concurrency-model-patterns/fan";
import type { Flow } from "concurrency-model-patterns/flow";
import { threadPool } from "concurrency-model-patterns/threads";
import { crc32Combined } from "./crc32.ts";
import type * as functions from "./gzip-thread.ts";
import type { OutputFile } from "./host.ts";
import { defineInputDemo, type Input } from "./input-demo.ts";
import { threads, toggle, whole } from "./parameters.ts";

const parameters = {
  threads,
  level: whole("1 is fast, 9 is small", 6, 1, 9),
  force: toggle("replace files that are there"),
};

const BLOCK_BYTES = 1 << 18;
/** Small files take longer to make than to compress: so several are made at once. */
const FILES_AT_ONCE = 4;

type Compressed =
  | { readonly input: Input; readonly bytes: number; readonly madeBytes: number }
  | { readonly input: Input; readonly error: unknown };

/** Also an empty file has a block: the last one. */
function* blocksOf({ path = "", size = 0 }: Input, level: number): Generator<functions.Block> {
  for (let at = 0; at === 0 || at < size; at += BLOCK_BYTES) {
    const bytes = Math.min(BLOCK_BYTES, size - at);
    yield { path, at, bytes, last: at + bytes === size, level };
  }
}

/** As in RFC 1952: the magic number, deflate, no name and no time, Unix. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

function trailer(crc: number, bytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, crc, true);
  view.setUint32(4, bytes % 2 ** 32, true);
  return new Uint8Array(view.buffer);
}

/** Writes the pieces of a file as they come, in their order. Gives how long the new file is. */
async function writeCompressed(
  input: Input,
  file: OutputFile,
  pieces: Flow<functions.Piece>,
  done: (bytes: number) => void,
): Promise<number> {
  await file.write(HEADER);
  let madeBytes = HEADER.length + 8;
  let crc = 0;
  for await (const piece of pieces) {
    await file.write(piece.deflated);
    madeBytes += piece.deflated.length;
    crc = crc32Combined(crc, piece.crc, piece.bytes);
    done(piece.bytes);
  }
  await file.write(trailer(crc, input.size ?? 0));
  return madeBytes;
}

function lineOf({ given }: Input, bytes: number, madeBytes: number): string {
  const share = bytes === 0 ? "" : ` (${((100 * madeBytes) / bytes).toFixed(1)} %)`;
  return `${given}.gz: ${bytes} -> ${madeBytes} bytes${share}`;
}

export const inputDemo = defineInputDemo({
  about: "compresses each into FILE.gz, as gzip -k does",
  files: "FILE...",
  inputs: "beside",
  parameters,

  needsThreads: () => true,

  async run({ params, ctx, inputs, host, print, progress, skip }) {
    const blocks = inputs.reduce((sum, { size = 0 }) => sum + Math.ceil(size / BLOCK_BYTES), 0);
    const workers = Math.max(1, Math.min(params.threads || host.cores, blocks));
    await using pool = threadPool<typeof functions>(new URL("./gzip-thread.js", import.meta.url), {
      workers,
      name: "gzip",
    });
    let doneBytes = 0;
    const done = (bytes: number): void => progress((doneBytes += bytes));

    async function compress(input: Input): Promise<Compressed> {
      try {
        if (input.problem !== undefined) throw input.problem;
        const file = host.createFile(`${input.given}.gz`, input, { force: params.force });
        try {
          // One more than there are threads, so that one that is free finds the next block waiting.
          const pieces = fanOut(
            blocksOf(input, params.level),
            (block, { ctx }) => pool.run("deflate", block, ctx),
            { workers: workers + 1, ordered: true, signal: ctx.signal },
          );
          const madeBytes = await writeCompressed(input, file, pieces, done);
          file.commit();
          return { input, bytes: input.size ?? 0, madeBytes };
        } finally {
          file.discard();
        }
      } catch (error) {
        return { input, error };
      }
    }

    const files = fanOut(inputs, compress, { workers: FILES_AT_ONCE, ordered: true, signal: ctx.signal });
    for await (const made of files) {
      if ("error" in made) skip(made.input, made.error);
      else print(lineOf(made.input, made.bytes, made.madeBytes));
    }
  },
});
