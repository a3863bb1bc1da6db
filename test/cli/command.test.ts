import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { help, patternHelp } from "../../cli/help.ts";
import { registry } from "../../examples/index.ts";
import { buildIfStale } from "../support/build.ts";
import { eventsOf, run, start } from "../support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "cmp-pattern-"));
beforeAll(buildIfStale);
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("cmp-pattern", () => {
  test("without a word prints the usage", async () => {
    const { status, stdout, stderr } = await run([]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines.slice(0, 4)).toEqual([
      "Concurrency Model Patterns Examples",
      "===================================",
      "Usage:",
      "  cmp-pattern --pipeline           - Run pipeline pattern example",
    ]);
    expect(lines).toContain(
      "  cmp-pattern --timeout-cancellation - Run timeouts and cancellation pattern example",
    );
    expect(lines.filter((line) => line.includes(" - Run "))).toHaveLength(registry.length);
  });

  test("keeps help within 80 columns", async () => {
    const texts = [help(), ...(await Promise.all(registry.map(patternHelp)))];
    for (const line of texts.flatMap((text) => text.split("\n"))) {
      expect(line.length, line).toBeLessThanOrEqual(80);
    }
    expect(await run(["--help"])).toEqual({ status: 0, stdout: texts[0], stderr: "" });
    expect(await run(["pools", "--help"])).toMatchObject({ status: 0, stderr: "" });
  });

  test("says its version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await run(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("tells a mistake on standard error alone, in one line, without a stack", async () => {
    const { status, stdout, stderr } = await run(["--pipelin"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("cmp-pattern: error: unknown flag --pipelin\n  Did you mean --pipeline?");
    expect(stderr).not.toContain("    at ");
  });
});

describe("a run", () => {
  test("prints the same bytes for the same seed, and others for another", async () => {
    const all = (seed: string): Promise<{ status: number | null; stdout: string; stderr: string }> =>
      run(["--all", "--speed", "max", "--seed", seed]);
    const [first, again, other] = await Promise.all([all("1"), all("1"), all("2")]);
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(again.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
  });

  test("as JSON is the log of every pattern, in which the transcript is the text", async () => {
    const args = ["--all", "--speed", "max", "--seed", "5"];
    const [text, json] = await Promise.all([run(args), run([...args, "--json"])]);
    const events = eventsOf(json.stdout);
    expect(events[0]?.k).toBe("run.start");
    expect(events.at(-1)).toMatchObject({ k: "run.end", how: "ok" });
    const printed = events.filter(({ k }) => k === "log").map((event) => `${event.text}\n`);
    expect(printed.join("")).toBe(text.stdout);
    const runs = events.flatMap((event, at) => (event.k === "run.start" ? [at] : []));
    expect(runs).toHaveLength(registry.length);
    for (const [index, from] of runs.entries()) {
      const log = events.slice(from, runs[index + 1]);
      expect(log.map(({ i }) => i)).toEqual(log.map((_, place) => place));
      const spawned = log.filter(({ k }) => k === "task.spawn").map(({ id }) => id);
      const ended = log.filter(({ k }) => k === "task.end").map(({ task }) => task);
      expect(new Set(ended)).toEqual(new Set(spawned));
      expect(ended).toHaveLength(spawned.length);
      expect(log.filter((event) => event.k === "task.end" && event.how === "leaked")).toEqual([]);
    }
  });

  test("goes at the pace that was asked for, and prints as it goes", async () => {
    const { child, seen, finished } = start([
      "--event-loop",
      "--timeout",
      "300ms",
      "--seed",
      "1",
      "--speed",
      "1",
    ]);
    await seen("Event loop started...");
    expect(child.exitCode).toBeNull();
    expect(await finished).toMatchObject({ status: 0, stderr: "" });
  });

  test("ends at SIGINT with status 130 and leaves every task", async () => {
    const { child, seen, finished } = start(["--all", "--json", "--seed", "1"]);
    await seen("Generated: ");
    child.kill("SIGINT");
    const { status, stdout, stderr } = await finished;
    expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
    const events = eventsOf(stdout);
    expect(events.at(-1)).toMatchObject({ k: "run.end", how: "cancelled" });
    const spawned = events.filter(({ k }) => k === "task.spawn").length;
    expect(events.filter(({ k }) => k === "task.end")).toHaveLength(spawned);
  });

  test("is quiet when its reader goes away", async () => {
    const { child, finished, seen } = start(["--all", "--speed", "max"]);
    await seen("Running");
    child.stdout?.destroy();
    expect(await finished).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("a run on real input", () => {
  test("sends numbers through the pipeline and reports a line that is none", async () => {
    const { status, stdout, stderr } = await run(["--pipeline", "--input", "-"], {
      input: "1\n-2.5\nx\n\n3",
    });
    expect(status).toBe(1);
    expect(stdout).toBe("Result: 11\nResult: 16.25\nResult: 19\n");
    expect(stderr.split("\n").slice(0, 2)).toEqual([
      'cmp-pattern: standard input:3: not a number: "x"',
      'cmp-pattern: standard input:4: not a number: ""',
    ]);
  });

  test("reads a file", async () => {
    const { status, stdout } = await run(["--pipeline", "--input", file("numbers.txt", "7\r\n8\r\n")]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "Result: 59\nResult: 74\n" });
  });

  test("counts the words of several files", async () => {
    const one = file("one.txt", "Hello world hello");
    const two = file("two.txt", "world go\nHELLO");
    const { status, stdout, stderr } = await run(["--mapreduce", "--input", one, two]);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: "Word count results:\n  hello: 3\n  world: 2\n  go: 1\n",
      stderr: "",
    });
    expect((await run(["--mapreduce", "--input", one, two, "--top", "1"])).stdout).toBe(
      "Word count results:\n  hello: 3\n",
    );
  });

  test("logs events on real input, too", async () => {
    const { stdout } = await run(["--mapreduce", "--json", "--input", file("three.txt", "a b a")]);
    const events = eventsOf(stdout);
    expect(events[0]?.k).toBe("run.start");
    expect(events.at(-1)).toMatchObject({ k: "run.end", how: "ok" });
    expect(events.filter(({ k }) => k === "log").map(({ text }) => text)).toEqual([
      "Word count results:",
      "  a: 2",
      "  b: 1",
    ]);
  });
});
