import { describe, expect, test } from "vitest";
import { readCommandLine } from "../../cli/command-line.ts";
import { Failure } from "../../cli/failure.ts";
import { registry } from "../../examples/index.ts";

async function failure(line: string): Promise<Failure> {
  const error: unknown = await readCommandLine(line.split(" ")).catch((reason: unknown) => reason);
  expect(error, line).toBeInstanceOf(Failure);
  return error as Failure;
}

describe("a command line that is understood", () => {
  test("is the usage, if it is empty", async () => {
    expect(await readCommandLine([])).toEqual({ kind: "usage" });
  });

  test.each([
    ["--help", "help"],
    ["-h", "help"],
    ["--version", "version"],
    ["-V", "version"],
    ["list", "list"],
  ])("%s is %s", async (word, kind) => {
    expect((await readCommandLine([word])).kind).toBe(kind);
  });

  test("names a pattern as a flag or as a word, and both mean the same", async () => {
    const flag = await readCommandLine(["--pools"]);
    const word = await readCommandLine(["pools"]);
    expect(flag).toEqual(word);
    expect(flag).toMatchObject({
      kind: "run",
      chosen: [{ entry: { name: "pools" }, params: { workers: 3 } }],
    });
  });

  test("takes several patterns in the order given, each once", async () => {
    const command = await readCommandLine(["--pools", "fan", "--pools", "--seed", "3"]);
    expect(command).toMatchObject({
      kind: "run",
      chosen: [{ entry: { name: "pools" } }, { entry: { name: "fan" } }],
      options: { seed: 3 },
    });
  });

  test("takes all twelve with --all", async () => {
    const command = await readCommandLine(["--all"]);
    expect(command.kind === "run" && command.chosen.map(({ entry }) => entry.name)).toEqual(
      registry.map(({ name }) => name),
    );
  });

  test("reads numbers, times and speeds", async () => {
    const command = await readCommandLine("--supervisor --fail 0.25 --timeout 1.5s -x max -s 0".split(" "));
    expect(command).toMatchObject({
      chosen: [{ params: { fail: 0.25, timeout: 1500 } }],
      options: { speed: Number.POSITIVE_INFINITY, seed: 0 },
    });
    const slower = await readCommandLine("--supervisor --timeout 250ms --speed 0.5".split(" "));
    expect(slower).toMatchObject({ chosen: [{ params: { timeout: 250 } }], options: { speed: 0.5 } });
  });

  test("takes every word behind --input for a file", async () => {
    const command = await readCommandLine(["--mapreduce", "--input", "a.txt", "fan", "--top", "3", "-"]);
    expect(command).toMatchObject({
      kind: "input",
      files: ["a.txt", "fan", "-"],
      chosen: { params: { top: 3 } },
    });
  });

  test("reads sizes and paths", async () => {
    const words = "--mapreduce --memory 1.5MB --job ./job.js --input a".split(" ");
    expect(await readCommandLine(words)).toMatchObject({
      chosen: { params: { memory: 1_500_000, job: "./job.js", output: undefined, force: false } },
    });
  });

  test("knows a switch of a pattern, which takes no value, wherever it stands", async () => {
    const lines = ["--force --pools --input a", "pools --input=a --force", "--pools --input a --force"];
    for (const line of lines) {
      expect(await readCommandLine(line.split(" ")), line).toMatchObject({
        kind: "input",
        files: ["a"],
        chosen: { params: { force: true, threads: 0, level: 6 } },
      });
    }
    expect(await readCommandLine(["--pools", "--input", "a"])).toMatchObject({
      chosen: { params: { force: false } },
    });
  });

  test("gives the help of one pattern", async () => {
    expect(await readCommandLine(["fan", "--help"])).toMatchObject({
      kind: "pattern-help",
      entry: { name: "fan" },
    });
  });

  test("gives every pattern the seed's numbers by default", async () => {
    const command = await readCommandLine(["--all"]);
    const params = Object.fromEntries(
      command.kind === "run" ? command.chosen.map((one) => [one.entry.name, one.params]) : [],
    );
    expect(params).toMatchObject({
      pipeline: { items: 10 },
      fan: { items: 20, workers: 4 },
      pools: { items: 15, workers: 3 },
      "producer-consumer": { producers: 2, consumers: 3, items: 10, buffer: 5 },
      supervisor: { fail: 0.6, timeout: 4000 },
      pubsub: { subscribers: 3, items: 5, buffer: 2 },
      "timeout-cancellation": { timeout: 2000 },
      "rate-limiting": { rate: 2, tokenRate: 3, burst: 5 },
      singleflight: { callers: 5 },
      "event-loop": { timeout: 5000 },
      "resource-pooling": { connections: 5, clients: 4 },
    });
  });
});

describe("a command line that is not understood", () => {
  test.each([
    ["--pipelin", "unknown flag --pipelin", "Did you mean --pipeline?"],
    ["--fan --wrokers 3", "unknown flag --wrokers", "Did you mean --workers?"],
    ["-z", "unknown flag -z", "Run 'cmp-pattern list'"],
    ["--__proto__ 3", "unknown flag --__proto__", "Run 'cmp-pattern list'"],
    ["poools", 'unknown pattern "poools"', "Did you mean pools?"],
    ["--pools --workers 0", '--workers must be a whole number from 1 to 1000, got "0"', undefined],
    ["--pools --workers x", '--workers must be a whole number from 1 to 1000, got "x"', undefined],
    ["--pools --workers 1.5", '--workers must be a whole number from 1 to 1000, got "1.5"', undefined],
    ["--pools --workers 1e3", '--workers must be a whole number from 1 to 1000, got "1e3"', undefined],
    ["--pools --workers 99999999999999999999", "--workers must be a whole number", undefined],
    ["--pools --workers", "--workers needs a value", undefined],
    ["--workers 0", "--workers needs a pattern, such as --", undefined],
    ["--seed -1", '--seed must be a whole number from 0 to 4294967295, got "-1"', undefined],
    [
      "--fan --seed 4294967296",
      '--seed must be a whole number from 0 to 4294967295, got "4294967296"',
      undefined,
    ],
    ["--fan --seed", "--seed needs a value", undefined],
    ["--fan --speed 0", '--speed must be a number above 0, or max, got "0"', undefined],
    ["--fan --speed fast", '--speed must be a number above 0, or max, got "fast"', undefined],
    ["--fan --clock wall", '--clock must be virtual or real, got "wall"', undefined],
    ["--fan --color sometimes", '--color must be auto or always or never, got "sometimes"', undefined],
    ["--fan=3", '--fan takes no value, got "3"', undefined],
    ["--fan --json=yes", '--json takes no value, got "yes"', undefined],
    ["--pools --rate 3", "--rate has no use for pools; it belongs to rate-limiting", undefined],
    ["--all --burst 3", "--burst has no use for pipeline; it belongs to rate-limiting", undefined],
    ["--supervisor --timeout 3", "--timeout must be a time from", undefined],
    ["--seed 3", "no pattern is chosen", "Run 'cmp-pattern' for the usage."],
    ["--pubsub --input file", "--input has no use for pubsub", undefined],
    ["--fan --threads 2", "--threads has no use for fan without --input", undefined],
    ["--fan --threads 2000 --input file", "--threads must be a whole number from 0 to 1024", undefined],
    [
      "--mapreduce --memory 64 --input file",
      "--memory must be a size from 0B to 16GB, such as 64MB",
      undefined,
    ],
    ["--mapreduce --memory 1TB --input file", "--memory must be a size", undefined],
    ["--mapreduce --job= --input file", "--job needs a value", undefined],
    ["--pools --force", "--force has no use for pools without --input", undefined],
    ["--pools --force=yes --input file", '--force takes no value, got "yes"', undefined],
    ["--pools --input --force", "--input needs a file, got --force", "A file of that name is ./--force."],
    ["--mapreduce --input", "--input needs a value", undefined],
    ["--mapreduce --pipeline --input a", "--input goes with one pattern at a time", undefined],
    ["--mapreduce --input a --workers 3", "--workers has no use for mapreduce", undefined],
  ])("%s", async (line, message, hint) => {
    const error = await failure(line);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("\n");
    if (hint === undefined) expect(error.hint).toBeUndefined();
    else expect(error.hint).toContain(hint);
    expect(error.status).toBe(2);
  });
});
