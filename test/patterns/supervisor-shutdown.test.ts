import { type ChildSpec, Supervisor, type SupervisorOptions } from "concurrency-model-patterns/supervisor";
import { now, sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../support/both-runtimes.ts";
import { abc, caught, failing, idle, run, steps, stopAt } from "../support/supervision.ts";

type How = "returns" | "fails";

/** A significant child, and how it ends after so long. */
const significant = (id: string, ms: number, how: How, restart: ChildSpec["restart"]): ChildSpec => ({
  id,
  restart,
  significant: true,
  start: how === "returns" ? ({ ctx }) => sleep(ms, ctx) : failing(ms),
});

describe("auto shutdown", () => {
  test.each<[SupervisorOptions["autoShutdown"], How, ChildSpec["restart"], string[]]>([
    [
      "any-significant",
      "returns",
      "transient",
      steps("10 ended x, 10 auto-shutdown x, 10 stopped y, 10 stopped a"),
    ],
    [
      "any-significant",
      "returns",
      "temporary",
      steps("10 ended x, 10 auto-shutdown x, 10 stopped y, 10 stopped a"),
    ],
    [
      "any-significant",
      "fails",
      "temporary",
      steps("10 failed x, 10 auto-shutdown x, 10 stopped y, 10 stopped a"),
    ],
    [
      "any-significant",
      "fails",
      "transient",
      steps(
        "10 failed x, 10 restarting x, 10 started x, 20 ended y, 20 auto-shutdown y, 20 stopped x, 20 stopped a",
      ),
    ],
    [
      "all-significant",
      "returns",
      "transient",
      steps("10 ended x, 20 ended y, 20 auto-shutdown y, 20 stopped a"),
    ],
    [
      "all-significant",
      "fails",
      "temporary",
      steps("10 failed x, 20 ended y, 20 auto-shutdown y, 20 stopped a"),
    ],
    [
      "all-significant",
      "fails",
      "transient",
      steps("10 failed x, 10 restarting x, 10 started x, 20 ended y, 100 stopped x, 100 stopped a"),
    ],
  ])("%s: a child that %s and is %s", async (autoShutdown, how, restart, lines) => {
    const children = [
      { id: "a", start: idle },
      significant("x", 10, how, restart),
      significant("y", 20, "returns", "transient"),
    ];
    const trail = await run(children, { autoShutdown }, stopAt(100));
    expect(trail.lines.slice(3)).toEqual(lines);
  });

  test("is an end like that of a stop: wait settles, and no error comes", async () => {
    const children = [significant("x", 10, "fails", "temporary"), { id: "a", start: idle }];
    await run(children, { autoShutdown: "any-significant" }, async (supervisor) => {
      await supervisor.wait();
      expect(now()).toBe(10);
    });
  });

  test("an end that is not its own does not count: removed, or stopped along with others", async () => {
    const children = [significant("x", 1000, "returns", "temporary"), ...abc({ b: failing(10) })];
    const options = { autoShutdown: "any-significant", strategy: "one-for-all" } as const;
    await run(children, options, async (supervisor) => {
      await sleep(20);
      expect(supervisor.active).toBe(3);
    });
    await run(children, { autoShutdown: "any-significant" }, async (supervisor) => {
      await supervisor.remove("x");
      await sleep(20);
      expect(supervisor.active).toBe(3);
    });
  });

  test("a child that is not significant ends for itself alone", async () => {
    const children = [
      significant("x", 1000, "returns", "transient"),
      { id: "once", restart: "temporary", start: () => {} },
    ] as const;
    await run(children, { autoShutdown: "any-significant" }, async (supervisor) => {
      await sleep(10);
      expect(supervisor.active).toBe(1);
    });
  });

  test("one that is due counts as one that is left", async () => {
    const children = [
      significant("x", 10, "fails", "transient"),
      significant("y", 20, "returns", "transient"),
      { id: "a", start: idle },
    ];
    const options = { autoShutdown: "all-significant", restartDelayMs: 100 } as const;
    const trail = await run(children, options, stopAt(150));
    expect(trail.lines.slice(3)).toEqual(
      steps("10 failed x, 10 restarting x, 20 ended y, 110 started x, 150 stopped a, 150 stopped x"),
    );
  });

  test.each<[string, Partial<ChildSpec>, SupervisorOptions, RegExp]>([
    ["permanent", {}, { autoShutdown: "any-significant" }, /children\[0\]\.significant .*permanent/],
    ["permanent", {}, { autoShutdown: "all-significant" }, /children\[0\]\.significant .*permanent/],
    ["never", { restart: "transient" }, {}, /children\[0\]\.significant .*without autoShutdown/],
    ["never", { restart: "temporary" }, { autoShutdown: "never" }, /without autoShutdown/],
    ["a word", { significant: "yes" as never }, { autoShutdown: "any-significant" }, /must be a boolean/],
    ["another word", { significant: false }, { autoShutdown: "any" as never }, /autoShutdown must be one of/],
    ["a third word", { significant: false }, { whenIdle: "go" as never }, /whenIdle must be one of/],
  ])("refuses what means nothing: significant with %s", (_, spec, options, message) => {
    const child = { id: "x", start: idle, significant: true, ...spec };
    expect(() => new Supervisor([child], options)).toThrow(message);
  });

  inBothRuntimes("holds for children that are added", async () => {
    const supervisor = new Supervisor([], { autoShutdown: "all-significant", whenIdle: "stay" });
    await supervisor.add(significant("x", 5, "returns", "temporary"));
    await supervisor.add({ id: "a", start: idle });
    await supervisor.wait();
    expect(supervisor.active).toBe(0);
    const plain = new Supervisor([], { whenIdle: "stay" });
    expect(() => plain.add(significant("x", 5, "returns", "temporary"))).toThrow(/child\.significant/);
    await plain.stop();
    expect(await caught(plain.add({ id: "a", start: idle }))).toMatchObject({ code: "CLOSED" });
  });
});
