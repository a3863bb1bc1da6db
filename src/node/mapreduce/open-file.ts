/**
 * A file that is open, in a thread: what the system says of it names it, which by itself it only does of paths.
 */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";

export class OpenFile {
  readonly path: string;
  readonly #descriptor: number;
  #state: "open" | "closed" = "open";

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  static toRead(path: string): OpenFile {
    return new OpenFile(path, openSync(path, "r"));
  }

  /** It must not be there yet. */
  static toWrite(path: string, mode: number): OpenFile {
    return new OpenFile(path, openSync(path, "wx", mode));
  }

  /** Reads what there is from `at` on, and says how much that was. It is less than there is room for at the end only. */
  read(buffer: Uint8Array, at: number): number {
    return ofFile(this.path, () => {
      let size = 0;
      while (size < buffer.length) {
        const read = readSync(this.#descriptor, buffer, size, buffer.length - size, at + size);
        if (read === 0) break;
        size += read;
      }
      return size;
    });
  }

  /** Writes these bytes behind what was written before. */
  write(bytes: Uint8Array, from = 0, to: number = bytes.length): void {
    ofFile(this.path, () => {
      for (let at = from; at < to; ) at += writeSync(this.#descriptor, bytes, at, to - at);
    });
  }

  /** Sees that what was written is on the disk. */
  sync(): void {
    ofFile(this.path, () => fsyncSync(this.#descriptor));
  }

  /** Does nothing the second time. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    ofFile(this.path, () => closeSync(this.#descriptor));
  }
}

/** Names the file in what the system says of it. */
export function ofFile<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw named(error, path);
  }
}

/** The system's error with the path of the file that it is about, as it says it of paths. Others stay as they are. */
export function named(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error) || "path" in error) return error;
  error.message = `${error.message} '${path}'`;
  return Object.assign(error, { path });
}
