/**
 * The machine, as demos on real input see it.
 */
import { constants, createWriteStream, existsSync } from "node:fs";
import { access, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Host, LoadedModule } from "../examples/host.ts";
import type { Input } from "../examples/input-demo.ts";
import { exitStatus, Failure, usageFailure } from "./failure.ts";
import { fileFailure } from "./file-failure.ts";
import { checkFolder, type OutputFiles } from "./output-files.ts";

/** What a demo may do to the machine; what it makes and does not finish, `outputs` removes. */
export function hostOf(outputs: OutputFiles, logged: boolean, signal: AbortSignal): Host {
  let scratch: string | undefined;
  const scratchFolder = (): string => (scratch ??= outputs.createScratchFolder());
  let piped = 0;
  return {
    cores: logged ? 0 : availableParallelism(),
    createFile: (path, like, options) => outputs.create(path, like, options),
    prepareFolder(path, options) {
      checkFolder(path, options.force);
      return { write: (write) => outputs.replaceFolder(path, options, write) };
    },
    scratchFolder,
    pathOf: async (input) => input.path ?? spool(input, join(scratchFolder(), `input-${++piped}`), signal),
    load,
  };
}

/** Puts the bytes of what is no file into one. */
async function spool(input: Input, path: string, signal: AbortSignal): Promise<string> {
  try {
    await pipeline(input.open(), createWriteStream(path, { flags: "wx", mode: 0o600 }), { signal });
    return path;
  } catch (error) {
    throw signal.aborted ? signal.reason : fileFailure("write", path, error);
  }
}

const jobs = new URL("../examples/jobs/", import.meta.url);

/** A word that is no path may be one of the jobs that come with the command. */
function urlOf(word: string): URL {
  const own = new URL(`${encodeURIComponent(word)}.js`, jobs);
  const isWord = /^[a-z-]+$/.test(word) && !existsSync(word);
  return isWord && existsSync(own) ? own : pathToFileURL(resolve(word));
}

async function load(word: string, functions: readonly string[]): Promise<LoadedModule> {
  const url = urlOf(word);
  try {
    const path = fileURLToPath(url);
    await access(path, constants.R_OK);
    if ((await stat(path)).isDirectory()) {
      throw new Failure(exitStatus.file, `cannot read ${word}: it is a directory`);
    }
  } catch (error) {
    throw fileFailure("read", word, error);
  }
  let exports: LoadedModule["exports"];
  try {
    // The one module that is not known here: the user's.
    exports = (await import(url.href)) as LoadedModule["exports"];
  } catch (error) {
    const [reason] = String(error).split("\n");
    throw new Failure(exitStatus.file, `cannot load ${word}: ${reason}`, undefined, { cause: error });
  }
  const missing = functions.filter((name) => typeof exports[name] !== "function");
  if (missing.length > 0)
    throw usageFailure(`${word} exports no function ${missing.join(" and no function ")}`);
  return { url, exports };
}
