/**
 * A program of its own as the child of a supervisor. For Node alone.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { refuseType, requireDuration, requireFunction } from "../core/arguments.ts";
import { linkCancel } from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import { currentRuntime } from "../core/runtime.ts";
import { outcomeOf, valueOf } from "../core/task.ts";
import type { ChildContext, ChildSpec } from "../patterns/supervisor.ts";

/** Describes a program to supervise. */
export interface ProcessChildSpec extends Omit<ChildSpec, "start"> {
  /** What to run, as `child_process.spawn` takes it. */
  readonly command: string;
  /** What it is given. */
  readonly args?: readonly string[] | undefined;
  /** Directory, environment, streams. Without `stdio`, the program shares those of this process. */
  readonly spawnOptions?: Omit<SpawnOptions, "signal" | "timeout" | "killSignal"> | undefined;
  /**
   * How long it has from SIGTERM to SIGKILL, in milliseconds; default 5000. `Infinity` never kills it, 0 does at once.
   */
  readonly shutdownMs?: number | undefined;
  /** Called when it was spawned: to listen to it and, with `readyWithinMs` or `watchdogMs`, to speak for it. */
  readonly onSpawn?: ((program: ChildProcess, child: ChildContext) => void) | undefined;
}

/** A program has ended, and not with 0. Its `cause` is what went wrong with it before, if anything did. */
export class ProcessExitError extends Error {
  /** What it ended with; null if a signal ended it. */
  readonly exitCode: number | null;
  /** What ended it; null if it ended by itself. */
  readonly signal: string | null;

  /** @internal */
  constructor(id: string, { code, signal, cause }: Exit) {
    const text = `${id} ended with ${signal === null ? `exit code ${code}` : signal}`;
    super(text, cause === undefined ? undefined : { cause });
    this.name = "ProcessExitError";
    this.exitCode = code;
    this.signal = signal;
  }
}

/** After SIGKILL a program is gone, but it takes a moment to hear of it. */
const GRACE_MS = 1000;

/**
 * Describes a child that is a program: spawned when it is started, and spawned anew when it is restarted.
 *
 * **Guarantees** The child has ended when the program has. It is told to stop with SIGTERM, and killed when it has not
 * after `shutdownMs`. Exit code 0 is a return; any other, a signal, and a failure to spawn are failures.
 * **Errors** {@link ProcessExitError}, or the error of `spawn`, as the failure of the child.
 * **Cost** A process for each life.
 * **Not for** what the program has started itself: a shell passes no signals on. Nor does anybody stop the program if this
 * process is killed: let it end when its input does. Where there are no signals, as on Windows, SIGTERM kills.
 *
 * @example
 * const args = ["-e", "process.exit(0)"];
 * const job = processChild({ id: "job", command: "node", args, restart: "transient" });
 * const supervisor = new Supervisor([job]);
 * await supervisor.wait();
 * supervisor.restarts; //=> 0
 */
export function processChild(spec: ProcessChildSpec): ChildSpec {
  const { command, args = [], spawnOptions = {}, shutdownMs, onSpawn, ...common } = spec;
  if (typeof command !== "string" || command === "")
    refuseType("command", "a string that is not empty", command);
  if (onSpawn !== undefined) requireFunction("onSpawn", onSpawn);
  const limitMs = requireDuration("shutdownMs", shutdownMs ?? 5000);
  const start = async (child: ChildContext): Promise<void> => {
    const program = spawn(command, args, { stdio: "inherit", ...spawnOptions });
    await supervised(program, spec, limitMs, child);
  };
  return { ...common, start, shutdownMs: limitMs + GRACE_MS };
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** What went wrong while it ran: a signal or a message that could not be sent. */
  readonly cause: unknown;
}

/** Lives as long as the program does. */
async function supervised(
  program: ChildProcess,
  { id, onSpawn }: ProcessChildSpec,
  limitMs: number,
  child: ChildContext,
): Promise<void> {
  const { clock } = currentRuntime();
  let killing: Timer | undefined;
  const terminate = (): void => {
    program.kill(limitMs === 0 ? "SIGKILL" : "SIGTERM");
    if (limitMs > 0) killing = clock.after(limitMs, () => program.kill("SIGKILL"));
  };
  const exited = exitOf(program);
  const link = linkCancel(child.ctx, { onCancel: terminate });
  try {
    const spawned = await outcomeOf(() => onSpawn?.(program, child));
    if (!spawned.ok) program.kill("SIGKILL");
    const exit = await exited;
    valueOf(spawned);
    if (exit.code !== 0 && (child.ctx.error === undefined || !obeyed(exit)))
      throw new ProcessExitError(id, exit);
  } finally {
    link?.release();
    killing?.cancel();
  }
}

/**
 * Settles when it is gone, or never came to be. It waits for no stream: a program further down may hold that open. An
 * error of one that runs does not end it, or a second one would be started beside it.
 */
function exitOf(program: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    let cause: unknown;
    program.once("exit", (code, signal) => resolve({ code, signal, cause }));
    program.on("error", (error) => {
      if (program.pid === undefined) reject(error);
      else cause ??= error;
    });
  });
}

/** Whether that is how a program ends that was told to: by the signal, or as shells report one. */
function obeyed({ code, signal }: Exit): boolean {
  return signal === "SIGTERM" || signal === "SIGKILL" || code === 143;
}
