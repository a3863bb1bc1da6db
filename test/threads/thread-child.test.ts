import { threadChild } from "concurrency-model-patterns/node/thread-child";
import { Supervisor, type SupervisorEvent } from "concurrency-model-patterns/supervisor";
import { beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";

beforeAll(buildIfStale);

const module = new URL("jobs.mjs", import.meta.url);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("a thread as a child", () => {
  test("has ended when its function has", async () => {
    const child = threadChild({ id: "squares", module, call: "square", job: 3, restart: "transient" });
    const events: SupervisorEvent[] = [];
    const supervisor = new Supervisor([child], { onEvent: (event) => events.push(event) });
    await supervisor.wait();
    expect(events.map(({ type }) => type)).toEqual(["started", "ended"]);
  });

  test("is restarted in a new thread when its thread has died", async () => {
    const memory = new SharedArrayBuffer(4);
    const job = [memory, 0, "exit"];
    const child = threadChild({ id: "mortal", module, call: "markThen", job, restart: "permanent" });
    const supervisor = new Supervisor([child], { intensity: 2, periodMs: 60_000 });
    const failure: unknown = await supervisor.wait().catch((error: unknown) => error);
    expect(new Int32Array(memory)[0]).toBe(3);
    expect(failure).toMatchObject({ code: "GAVE_UP" });
  });

  test.each([
    ["obeys its context", "untilTold", undefined, 5000],
    ["is ended if it does not obey", "markThen", "spin", 5],
  ])("that is stopped %s", async (_, call, fate, shutdownMs) => {
    const memory = new SharedArrayBuffer(4);
    const job = [memory, 0, fate];
    const supervisor = new Supervisor([threadChild({ id: "endless", module, call, job, shutdownMs })]);
    await supervisor.started();
    if (fate !== undefined) while (Atomics.load(new Int32Array(memory), 0) === 0) await pause(1);
    await supervisor.stop();
    expect([supervisor.active, supervisor.restarts]).toEqual([0, 0]);
  });

  test("is refused without a module or a function", () => {
    const wrong = { id: "wrong", module: "./jobs.js" as unknown as URL, call: "work" };
    expect(() => threadChild(wrong)).toThrow("module must be a URL");
    expect(() => threadChild({ ...wrong, call: "" })).toThrow("call must be a string that is not empty");
  });
});
