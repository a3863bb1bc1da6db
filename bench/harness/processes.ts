/** The processes that do the rounds, one a variant, and how they are asked. */
import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bindToCore } from "./cores.ts";
import type { GoVariant, NodeVariant } from "./subject.ts";
import type { Ask, Told } from "./worker.ts";

/** A variant at work. */
export interface Worker {
  round(ask: Ask): Promise<Told>;
  end(): void;
}

const workerFile = fileURLToPath(new URL("worker.js", import.meta.url));
/** The sources are beside `bench/package.json`, what they were built to is in `build/bench/harness`. */
const goFolder = fileURLToPath(new URL("../../../bench/go/", import.meta.url));
/** What the programs of `go/` are built to. */
export const goBinary: string = fileURLToPath(new URL("../go-bench", import.meta.url));

/** A process of Node for a variant of a case; once it is set up, it is bound to a core, if one is given. */
export async function nodeWorker(
  subject: string,
  caseName: string,
  variant: string,
  core: number | undefined,
): Promise<Worker> {
  const child = fork(workerFile, [subject, caseName, variant], {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  child.stderr?.on("data", (data: Buffer) => {
    said = (said + data.toString()).slice(-2000);
  });
  const message = async (): Promise<unknown> => {
    const ended = once(child, "exit").then(() => {
      throw new Error(`${subject}, ${caseName}, ${variant} has ended:\n${said}`);
    });
    return ((await Promise.race([once(child, "message"), ended])) as [unknown])[0];
  };
  child.setMaxListeners(0);
  await message();
  if (core !== undefined && child.pid !== undefined) bindToCore(core, child.pid);
  return {
    round: (ask) => {
      child.send(ask);
      return message() as Promise<Told>;
    },
    end: () => {
      child.removeAllListeners("exit");
      child.on("error", () => {});
      child.kill();
    },
  };
}

/** No process, for a variant that counts. */
export async function countingWorker({ setUp }: NodeVariant): Promise<Worker> {
  const rounds = await setUp();
  return {
    round: async ({ operations = 1 }) => {
      return { operations, figure: (await rounds(operations)) ?? Number.NaN, cpuNs: Number.NaN };
    },
    end: () => {},
  };
}

/** Builds the programs in Go, if there is a `go`; the version of it. */
export function buildGo(): string | undefined {
  try {
    execFileSync("go", ["build", "-o", goBinary, "."], {
      cwd: goFolder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    return execFileSync("go", ["version"], { encoding: "utf8" }).split(" ")[2];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A process of Go: a line with a number of operations is answered with the nanoseconds they took. */
export function goWorker({ program }: GoVariant): Worker {
  const child = spawn(goBinary, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const took = async (operations: number): Promise<number> => {
    child.stdin.write(`${operations}\n`);
    const { value, done = false } = await lines.next();
    if (done) throw new Error(`${program} has ended`);
    return Number(value);
  };
  return {
    round: async ({ operations, roundMs }) => {
      const count = operations ?? (await countFor(took, roundMs));
      return { operations: count, figure: (await took(count)) / count, cpuNs: Number.NaN };
    },
    end: () => void child.kill(),
  };
}

/** As many operations as take most of a round. */
async function countFor(took: (operations: number) => Promise<number>, roundMs: number): Promise<number> {
  const wantedNs = roundMs * 1e6;
  let count = 64;
  for (let ns = await took(count); ns < wantedNs / 2; ns = await took(count)) {
    count = Math.ceil(count * Math.min(8, Math.max(1.3, wantedNs / Math.max(ns, 1))));
  }
  return count;
}
