/** What the command does, in more ways than `npm test` has time to start it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { eventsOf, run, start } from "../support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "cmp-pattern-"));
beforeAll(buildIfStale);
afterAll(() => rmSync(folder, { recursive: true }));

describe("a run", () => {
  test("without a seed tells the one it drew, which replays it", async () => {
    const { stdout, stderr } = await run(["--fan", "-x", "max"]);
    const told = /^seed (\d+); to see this run again: cmp-pattern (.*)\n$/.exec(stderr);
    expect(told?.[2]).toBe(`--fan -x max --seed ${told?.[1]}`);
    const replay = await run((told?.[2] ?? "").split(" "));
    expect(replay).toEqual({ status: 0, stdout, stderr: "" });
    expect((await run(["--fan", "-x", "max"])).stdout).not.toBe(stdout);
  });

  test("runs on the machine's clock, too", async () => {
    const { status, stdout } = await run(["--pipeline", "--items", "2", "--clock", "real", "--seed", "1"]);
    expect(status).toBe(0);
    expect(stdout.match(/^Result: /gm)).toHaveLength(2);
  });

  test("has colours only where they are wanted", async () => {
    const args = ["--fan", "-x", "max", "-s", "1"];
    const plain = await run(args);
    const colored = await run([...args, "--color", "always"]);
    const forced = await run(args, { env: { FORCE_COLOR: "1" } });
    const never = await run([...args, "--no-color"], { env: { FORCE_COLOR: "1" } });
    const ESCAPES = /\u001B\[[0-9;]*m/g;
    expect(plain.stdout).not.toMatch(ESCAPES);
    expect(colored.stdout.replaceAll(ESCAPES, "")).toBe(plain.stdout);
    expect(colored.stdout).toMatch(ESCAPES);
    expect(forced.stdout).toBe(colored.stdout);
    expect(never.stdout).toBe(plain.stdout);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("ends at %s with status %i and leaves every task", async (signal, expected) => {
    const { child, seen, finished } = start(["--all", "--json", "--seed", "1"]);
    await seen("Generated: ");
    child.kill(signal);
    const { status, stdout, stderr } = await finished;
    expect({ status, stderr }).toEqual({ status: expected, stderr: "" });
    const events = eventsOf(stdout);
    expect(events.at(-1)).toMatchObject({ k: "run.end", how: "cancelled" });
    const spawned = events.filter(({ k }) => k === "task.spawn").length;
    expect(events.filter(({ k }) => k === "task.end")).toHaveLength(spawned);
  });
});

describe("a run on real input", () => {
  test.each(["--mapreduce", "--pipeline"])(
    "%s names a file that cannot be read, with status 5",
    async (pattern) => {
      const missing = await run([pattern, "--input", join(folder, "missing.txt")]);
      expect(missing).toMatchObject({ status: 5, stdout: "" });
      expect(missing.stderr).toBe(
        `cmp-pattern: error: cannot read ${join(folder, "missing.txt")}: there is no such file\n`,
      );
      const directory = await run([pattern, "--input", folder]);
      expect(directory).toMatchObject({ status: 5, stdout: "" });
      expect(directory.stderr).toContain("it is a directory");
    },
  );

  test.each(["--mapreduce", "--pipeline"])("%s can be interrupted while nothing comes", async (pattern) => {
    const { child, seen, finished } = start([pattern, "--json", "--input", "-"], { input: null });
    await seen("run.start");
    child.kill("SIGINT");
    expect(await finished).toMatchObject({ status: 130, stderr: "" });
  });
});
