/**
 * Files that are made: each under a name that nobody knows, until it is whole.
 *
 * Invariants
 *   I1  Every temporary file is in #unfinished from before it is made until it is gone. What makes files, names them and
 *       removes them does not wait, so that nothing is on its way when the process exits.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Force, OutputFile } from "../examples/host.ts";
import type { Input } from "../examples/input-demo.ts";
import { exitStatus, Failure } from "./failure.ts";
import { fileFailure } from "./file-failure.ts";

const writeSome = promisify(fs.write);

/** A thread may still be writing there. */
const REMOVAL = { recursive: true, force: true, maxRetries: 5 };

/** The files of one run. Whatever ends the process, what is not whole then is removed. */
export class OutputFiles implements Disposable {
  readonly #unfinished = new Set<string>();
  readonly #atExit = (): void => this[Symbol.dispose]();

  constructor() {
    process.on("exit", this.#atExit);
  }

  /** Removes what is not whole. */
  [Symbol.dispose](): void {
    process.off("exit", this.#atExit);
    for (const path of this.#unfinished) fs.rmSync(path, REMOVAL);
    this.#unfinished.clear();
  }

  /** See `createFile` of a `Host`. */
  create(path: string, like: Input, { force }: Force): OutputFile {
    const source = attempt("read", like.name, () => fs.statSync(like.given));
    const there = attempt("write", path, () => fs.lstatSync(path, { throwIfNoEntry: false }));
    if (there?.isDirectory() === true) throw refusal(path, "it is a directory");
    if (there !== undefined && !force) throw itExists(path);
    const temporary = this.#newName(dirname(path));
    const fd = attempt("write", path, () => fs.openSync(temporary, "wx", 0o600));
    const remove = (): void => {
      fs.rmSync(temporary, { force: true });
      this.#unfinished.delete(temporary);
    };
    return new NewFile({ path, temporary, fd, force, like, source, remove });
  }

  /** A folder for what nobody is to see. */
  createScratchFolder(): string {
    const path = this.#newName(tmpdir());
    attempt("write", path, () => fs.mkdirSync(path, { mode: 0o700 }));
    return path;
  }

  /** See `prepareFolder` of a `Host`: what is there goes when what replaces it is whole. */
  async replaceFolder(path: string, { force }: Force, write: (path: string) => Promise<void>): Promise<void> {
    const isThere = checkFolder(path, force);
    const place = this.#newName(dirname(resolve(path)));
    await write(place);
    attempt("write", path, () => {
      if (isThere) fs.renameSync(path, this.#newName(dirname(resolve(path))));
      fs.renameSync(place, path);
    });
    this.#unfinished.delete(place);
  }

  #newName(folder: string): string {
    const path = join(folder, `.cmp-pattern-${randomBytes(8).toString("hex")}`);
    this.#unfinished.add(path);
    return path;
  }
}

interface Parts {
  readonly path: string;
  readonly temporary: string;
  readonly fd: number;
  readonly force: boolean;
  readonly like: Input;
  /** How the input was when the file was begun. */
  readonly source: fs.Stats;
  /** Removes the temporary file, if it is there. */
  readonly remove: () => void;
}

class NewFile implements OutputFile {
  readonly #parts: Parts;
  #state: "open" | "closed" | "done" = "open";

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { path, fd } = this.#parts;
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await writeSome(fd, bytes, done, bytes.length - done);
        done += bytesWritten;
      }
    } catch (error) {
      throw fileFailure("write", path, error);
    }
  }

  commit(): void {
    const { path, fd, like, source } = this.#parts;
    const now = attempt("read", like.name, () => fs.statSync(like.given));
    if (now.size !== like.size || now.mtimeMs !== source.mtimeMs) {
      throw new Failure(exitStatus.file, `cannot read ${like.name}: it has changed meanwhile`);
    }
    attempt("write", path, () => {
      fs.fchmodSync(fd, source.mode & 0o777);
      fs.futimesSync(fd, source.atimeMs / 1000, source.mtimeMs / 1000);
      this.#close();
      this.#name();
    });
    this.discard();
  }

  discard(): void {
    if (this.#state === "done") return;
    this.#close();
    this.#parts.remove();
    this.#state = "done";
  }

  /** A link replaces nothing, also not what has come meanwhile; but not every file system has links. */
  #name(): void {
    const { path, temporary, force } = this.#parts;
    if (force) return fs.renameSync(temporary, path);
    try {
      fs.linkSync(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") throw itExists(path);
      fs.renameSync(temporary, path);
    }
  }

  #close(): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    fs.closeSync(this.#parts.fd);
  }
}

function attempt<T>(verb: "read" | "write", name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileFailure(verb, name, error);
  }
}

/** Refuses what may not be replaced; says whether anything is there. */
export function checkFolder(path: string, force: boolean): boolean {
  const there = attempt("write", path, () => fs.statSync(path, { throwIfNoEntry: false }));
  if (there === undefined) return false;
  const names = attempt("write", path, () => fs.readdirSync(path));
  if (names.length > 0 && !force) throw refusal(path, "it is not empty; --force replaces results");
  if (names.every((name) => /^part-\d+$/.test(name))) return true;
  throw refusal(path, "it holds something else than results");
}

function itExists(path: string): Failure {
  return refusal(path, "it is there already; --force replaces it");
}

function refusal(path: string, reason: string): Failure {
  return new Failure(exitStatus.file, `cannot write ${path}: ${reason}`);
}
