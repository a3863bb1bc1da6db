/**
 * Opens what the user named: files, or standard input for `-`.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { addAbortSignal, type Readable } from "node:stream";
import type { Input } from "../examples/input-demo.ts";
import { exitStatus, Failure } from "./failure.ts";

const CHUNK_BYTES = 1 << 20;

/**
 * Checks every file before the work begins, so that a wrong name is told at once. `signal` ends the reading, also while
 * nothing comes.
 */
export async function openInputs(files: readonly string[], signal: AbortSignal): Promise<readonly Input[]> {
  const inputs: Input[] = [];
  for (const file of files) inputs.push(file === "-" ? standardInput(signal) : await fileInput(file, signal));
  return inputs;
}

function standardInput(signal: AbortSignal): Input {
  return { name: "standard input", open: () => chunksOf("standard input", process.stdin, signal) };
}

async function fileInput(file: string, signal: AbortSignal): Promise<Input> {
  const size = await sizeOf(file);
  return {
    name: file,
    size,
    open: () => chunksOf(file, createReadStream(file, { highWaterMark: CHUNK_BYTES }), signal),
  };
}

/** Undefined for what has no length of its own, such as a pipe. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    const handle = await open(file);
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) throw new Failure(exitStatus.file, `cannot read ${file}: it is a directory`);
      return stats.isFile() ? stats.size : undefined;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw readFailure(file, error);
  }
}

async function* chunksOf(name: string, stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* addAbortSignal(signal, stream) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw signal.aborted ? signal.reason : readFailure(name, error);
  }
}

/** What the system says of a file, in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  EMFILE: "too many open files",
};

function readFailure(name: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = (code === undefined ? undefined : REASONS[code]) ?? message;
  return new Failure(exitStatus.file, `cannot read ${name}: ${reason}`);
}
