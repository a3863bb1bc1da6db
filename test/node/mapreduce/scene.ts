/** Files, jobs and runs for the tests of MapReduce over files. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FileJob,
  type KeyOf,
  mapReduceFiles,
  type MapReduceFilesOptions,
  type MapReduceRun,
  type ReducedOf,
} from "concurrency-model-patterns/threads/mapreduce";

/** A module with this code. */
export function moduleOf(code: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** A folder for one test: with the files of it, and with a place for what runs leave. */
export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), "scene-"));
  readonly spillFolder = join(this.folder, "spills");
  #files = 0;

  constructor() {
    mkdirSync(this.spillFolder);
  }

  /** A file with this content. */
  file(content: string | Uint8Array, name = `file-${this.#files++}`): string {
    const path = this.path(name);
    writeFileSync(path, content);
    return path;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** What is in a folder of it. */
  list(name = "."): string[] {
    return readdirSync(this.path(name)).toSorted();
  }

  /** Runs a job, and sees that it leaves nothing. */
  async run<M extends FileJob<M>, T = Map<KeyOf<M>, ReducedOf<M>>>(
    files: readonly string[],
    job: URL | string,
    options: MapReduceFilesOptions = {},
    body: (run: MapReduceRun<KeyOf<M>, ReducedOf<M>>) => Promise<T> = (run) => run.toMap() as Promise<T>,
  ): Promise<T> {
    const module = typeof job === "string" ? moduleOf(job) : job;
    const settings = { threads: 1, spillFolder: this.spillFolder, graceMs: 20, ...options };
    const run = mapReduceFiles<M>(files, module, settings);
    try {
      return await body(run);
    } finally {
      await run[Symbol.asyncDispose]();
      this.#requireClean();
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #requireClean(): void {
    const left = this.list("spills");
    if (left.length > 0) throw new Error(`the run has left behind: ${left.join(", ")}`);
  }
}
