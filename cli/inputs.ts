/**
 * Opens what the user named: files, or standard input for `-`.
 */
import { constants, createReadStream, openSync, type Stats } from "node:fs";
import { access, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { addAbortSignal, type Readable } from "node:stream";
import type { Input, InputDemo } from "../examples/input-demo.ts";
import type { ParameterTable } from "../examples/parameters.ts";
import { exitStatus, Failure, usageFailure } from "./failure.ts";
import { fileFailure } from "./file-failure.ts";

const CHUNK_BYTES = 1 << 20;

type How = InputDemo<ParameterTable>["inputs"];

/**
 * Checks every file before the work begins, so that a wrong name is told at once; or with the file, if each is worked on
 * by itself. `signal` ends the reading, also while nothing comes.
 */
export async function openInputs(
  words: readonly string[],
  how: How,
  signal: AbortSignal,
): Promise<readonly Input[]> {
  if (words.filter((word) => word === "-").length > 1) {
    throw usageFailure("--input takes standard input once, got - several times");
  }
  const inputs: Input[] = [];
  for (const word of words) inputs.push(await openInput(word, how, signal));
  return inputs;
}

async function openInput(word: string, how: How, signal: AbortSignal): Promise<Input> {
  if (word === "-") return standardInput(how, signal);
  try {
    const stats = await stat(word);
    await access(word, constants.R_OK);
    if (stats.isDirectory()) throw new Failure(exitStatus.file, `cannot read ${word}: it is a directory`);
    return fileInput(word, stats, how, signal);
  } catch (error) {
    const problem = fileFailure("read", word, error);
    if (how === "together") throw problem;
    return { name: word, given: word, size: 0, problem, open: () => fail(problem) };
  }
}

function standardInput(how: How, signal: AbortSignal): Input {
  if (how === "beside") throw usageFailure("--input - has no file to put another beside");
  const name = "standard input";
  return { name, given: "-", open: () => chunksOf(name, process.stdin, signal) };
}

function fileInput(word: string, stats: Stats, how: How, signal: AbortSignal): Input {
  const names = { name: word, given: word };
  if (stats.isFile()) {
    const stream = (): Readable => createReadStream(word, { highWaterMark: CHUNK_BYTES });
    return { ...names, path: word, size: stats.size, open: () => chunksOf(word, stream(), signal) };
  }
  if (how === "beside") throw new Failure(exitStatus.file, `cannot read ${word}: it is no file`);
  // To open a pipe waits for whoever writes into it, and can not be given up; a socket waits where that can.
  const stream = (): Readable =>
    stats.isFIFO()
      ? new Socket({ fd: openSync(word, constants.O_RDONLY | constants.O_NONBLOCK), readable: true })
      : createReadStream(word, { highWaterMark: CHUNK_BYTES });
  return { ...names, open: () => chunksOf(word, stream(), signal) };
}

function fail(problem: unknown): never {
  throw problem;
}

async function* chunksOf(name: string, stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* addAbortSignal(signal, stream) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw signal.aborted ? signal.reason : fileFailure("read", name, error);
  }
}
