import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { processChild, type ProcessChildSpec } from "concurrency-model-patterns/node/process-child";
import {
  Supervisor,
  type SupervisorEvent,
  type SupervisorOptions,
} from "concurrency-model-patterns/supervisor";
import { describe, expect, test } from "vitest";

/** A child that runs a tiny program, and its processes so far. */
function program(
  code: string,
  spec: Partial<ProcessChildSpec> = {},
): { child: ReturnType<typeof processChild>; processes: ChildProcess[] } {
  const processes: ChildProcess[] = [];
  const child = processChild({
    id: "program",
    command: process.execPath,
    args: ["-e", code],
    spawnOptions: { stdio: ["ignore", "pipe", "inherit"] },
    readyWithinMs: 20_000,
    ...spec,
    onSpawn: (started, own) => {
      processes.push(started);
      started.stdout?.once("data", own.ready);
      spec.onSpawn?.(started, own);
    },
  });
  return { child, processes };
}

const RUNS = `setInterval(() => {}, 1e6); console.log("up");`;
const STUBBORN = `process.on("SIGTERM", () => {}); ${RUNS}`;

/** Whether there is still a process of that number. */
function lives({ pid }: ChildProcess): boolean {
  try {
    return process.kill(pid ?? 0, 0);
  } catch {
    return false;
  }
}

/** A supervisor of one child, and what it has told. */
function supervise(
  child: ReturnType<typeof processChild>,
  options: SupervisorOptions = {},
): { supervisor: Supervisor; events: SupervisorEvent[]; types: () => string[] } {
  const events: SupervisorEvent[] = [];
  const supervisor = new Supervisor([child], { ...options, onEvent: (event) => events.push(event) });
  return { supervisor, events, types: () => events.map(({ type }) => type) };
}

describe("a program as a child", () => {
  test("exit code 0 is a return", async () => {
    const { child } = program("", { restart: "transient" });
    const { supervisor, types } = supervise(child);
    await supervisor.wait();
    expect(types()).toEqual(["started", "ended"]);
  });

  test("any other exit code is a failure, after which it is spawned anew", async () => {
    const { child, processes } = program(`console.log("up"); process.exitCode = 3;`);
    const { supervisor, events, types } = supervise(child);
    await expect(supervisor.wait()).rejects.toMatchObject({
      code: "GAVE_UP",
      cause: {
        name: "ProcessExitError",
        message: "program ended with exit code 3",
        exitCode: 3,
        signal: null,
      },
    });
    expect(types()).toEqual(["started", "failed", "restarting", "started", "failed", "gave-up"]);
    expect(events[1]).toMatchObject({ id: "program", error: { exitCode: 3 } });
    expect(new Set(processes.map(({ pid }) => pid)).size).toBe(2);
  });

  test("one that is killed by somebody is restarted", async () => {
    const { child, processes } = program(RUNS);
    const { supervisor, types } = supervise(child);
    await supervisor.started();
    const back = new Promise<void>((resolve) => {
      void (async () => {
        for await (const { type } of supervisor.events()) if (type === "started") break;
        resolve();
      })();
    });
    processes[0]?.kill("SIGKILL");
    await back;
    expect(processes).toHaveLength(2);
    await supervisor.stop();
    expect(types()).toEqual(["started", "failed", "restarting", "started", "stopped"]);
    expect(processes.map(lives)).toEqual([false, false]);
  });

  test("is stopped with SIGTERM", async () => {
    const { child, processes } = program(RUNS);
    const { supervisor, events } = supervise(child);
    await supervisor.started();
    await supervisor.stop();
    expect(processes[0]?.signalCode).toBe("SIGTERM");
    expect(events.at(-1)).toEqual({ id: "program", restarts: 0, type: "stopped", error: undefined });
  });

  test.each([
    ["after its limit", 20],
    ["at once", 0],
  ])("is killed %s if it does not heed that", async (_, shutdownMs) => {
    const { child, processes } = program(STUBBORN, { shutdownMs });
    const { supervisor, types } = supervise(child);
    await supervisor.started();
    await supervisor.stop();
    expect(processes[0]?.signalCode).toBe("SIGKILL");
    expect(types()).toEqual(["started", "stopped"]);
  });

  test("what it fails with on its way out is told", async () => {
    const { child } = program(`process.on("SIGTERM", () => process.exit(4)); ${RUNS}`);
    const { supervisor, events } = supervise(child);
    await supervisor.started();
    await supervisor.stop();
    expect(events.at(-1)).toMatchObject({ type: "stopped", error: { exitCode: 4 } });
  });

  test("a command that is not there is a start that fails", async () => {
    const { child } = program("", { command: "/no/such/program" });
    const { supervisor } = supervise(child);
    await expect(supervisor.started()).rejects.toMatchObject({ cause: { code: "ENOENT" } });
    await expect(supervisor.wait()).rejects.toMatchObject({
      message: 'child "program" could not be started',
    });
  });

  test("a program that is silent is ended and restarted", async () => {
    const { child, processes } = program(RUNS, { watchdogMs: 20 });
    const { supervisor, events } = supervise(child, { intensity: 0 });
    await expect(supervisor.wait()).rejects.toMatchObject({ cause: { code: "TIMEOUT" } });
    expect(processes.map(lives)).toEqual([false]);
    expect(events.map(({ type }) => type)).toEqual(["started", "failed", "gave-up"]);
  });

  test("an error of one that runs does not end it, and is the cause of its later failure", async () => {
    const unsent = new Error("message not sent");
    const onSpawn = (program: ChildProcess): void => {
      program.emit("error", unsent);
    };
    const { child, processes } = program(`console.log("up"); setTimeout(() => process.exit(3), 20);`, {
      onSpawn,
    });
    const { supervisor, types } = supervise(child, { intensity: 0 });
    await supervisor.started();
    expect([processes.length, types()]).toEqual([1, ["started"]]);
    processes[0]?.kill("SIGKILL");
    const failure = await supervisor.wait().catch((error: unknown) => error);
    expect(failure).toMatchObject({ cause: { signal: "SIGKILL", cause: unsent } });
  });

  test("is ended if the callback breaks", async () => {
    const broken = new Error("no pipe");
    const onSpawn = (): never => {
      throw broken;
    };
    const { child, processes } = program(RUNS, { onSpawn });
    const { supervisor } = supervise(child);
    await expect(supervisor.wait()).rejects.toMatchObject({ cause: broken });
    expect(processes.map(lives)).toEqual([false]);
  });

  test("shares the streams of this process if nothing is said of them", async () => {
    const spawned: ChildProcess[] = [];
    const onSpawn = (started: ChildProcess): void => void spawned.push(started);
    const child = processChild({
      id: "a",
      command: process.execPath,
      args: ["-e", ""],
      restart: "temporary",
      onSpawn,
    });
    const supervisor = new Supervisor([child]);
    await supervisor.wait();
    expect(spawned[0]?.stdout).toBe(null);
  });

  test("leaves no listener on its context, and bad arguments are refused by name", async () => {
    const { child, processes } = program("", { restart: "transient" });
    const { supervisor } = supervise(child);
    await supervisor.wait();
    const [ended] = processes;
    if (ended?.stdout?.readable === true) await once(ended.stdout, "close");
    expect(ended?.listenerCount("exit")).toBe(0);
    expect(() => processChild({ id: "a", command: "" })).toThrow(/command must be a string/);
    expect(() => processChild({ id: "a", command: "x", shutdownMs: Number.NaN })).toThrow(/shutdownMs/);
    expect(() => processChild({ id: "a", command: "x", onSpawn: 1 as never })).toThrow(/onSpawn/);
  });
});
