import { after, receive, select } from "concurrency-model-patterns/select";
import { type ChildContext, Supervisor, type SupervisorEvents } from "concurrency-model-patterns/supervisor";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect, test } from "vitest";
import { inBothRuntimes } from "../support/both-runtimes.ts";
import { abc, caught, failing, idle, run, steps, stopAt } from "../support/supervision.ts";

async function read(events: SupervisorEvents): Promise<string[]> {
  const lines: string[] = [];
  for await (const { type, id } of events) lines.push(`${type} ${id}`);
  return lines;
}

describe("the stream of events", () => {
  inBothRuntimes("gives what the callback is told, and ends with the supervisor", async () => {
    const told: string[] = [];
    const supervisor = new Supervisor(abc({ b: failing(1) }), {
      onEvent: ({ type, id }) => told.push(`${type} ${id}`),
    });
    const all = read(supervisor.events());
    await sleep(5);
    const later = read(supervisor.events());
    await supervisor.stop();
    expect(await all).toEqual(told);
    expect(await later).toEqual(steps("stopped c, stopped b, stopped a"));
    expect(await read(supervisor.events())).toEqual([]);
  });

  test("is bounded: the oldest are dropped and counted, and nobody waits", async () => {
    await run(abc(), {}, async (supervisor) => {
      const events = supervisor.events({ capacity: 2 });
      await stopAt(5)(supervisor);
      expect([events.size, events.dropped]).toEqual([2, 4]);
      expect(await read(events)).toEqual(steps("stopped b, stopped a"));
    });
  });

  test("stands in a select as a channel does", async () => {
    await run(abc(), {}, async (supervisor) => {
      using events = supervisor.events();
      const first = await select({ event: receive(events), late: after(5) });
      expect(first).toMatchObject({ key: "event", value: { type: "started", id: "a" } });
      await supervisor.started();
      expect(events.tryReceive()).toMatchObject({ value: { id: "b" } });
      await supervisor.stop();
    });
  });

  inBothRuntimes(
    "a read can be given up and has taken nothing; leaving a loop leaves the stream",
    async () => {
      await using supervisor = new Supervisor([{ id: "a", start: idle }]);
      await supervisor.started();
      const events = supervisor.events();
      const cancelled = new AbortController();
      const waiting = caught(events.receive(cancelled));
      await sleep(1);
      cancelled.abort("no");
      expect(await waiting).toBe("no");
      await supervisor.restart("a");
      for await (const { type } of events) {
        expect(type).toBe("stopped");
        break;
      }
      expect([events.size, await events.receive()]).toEqual([0, { value: undefined, done: true }]);
      await supervisor.restart("a");
      expect(events.size).toBe(0);
    },
  );

  test("who waits to read when the stream is left gets done", async () => {
    await run([{ id: "a", start: idle }], {}, async (supervisor) => {
      await supervisor.started();
      const events = supervisor.events();
      const next = events.receive();
      await sleep(1);
      events[Symbol.dispose]();
      expect(await next).toEqual({ value: undefined, done: true });
      expect(() => supervisor.events({ capacity: 0 })).toThrow(/capacity/);
    });
  });
});

describe("the tree", () => {
  test("shows each child in its state", async () => {
    const children = [
      { id: "runs", start: idle },
      { id: "fails", start: failing(10) },
      { id: "idles", restart: "transient", start: () => {} },
      {
        id: "stops",
        start: async ({ ctx }: ChildContext) => {
          await caught(sleep(Number.POSITIVE_INFINITY, ctx));
          await sleep(20);
        },
      },
      { id: "begins", readyWithinMs: 1000, start: idle },
    ] as const;
    const states = (supervisor: Supervisor): string =>
      supervisor
        .tree()
        .children.map(({ state }) => state)
        .join(" ");
    await run(children, { restartDelayMs: 500, name: "boss" }, async (supervisor) => {
      expect(states(supervisor)).toBe("idle idle idle idle idle");
      await sleep(5);
      expect(states(supervisor)).toBe("running running running running starting");
      const added = caught(supervisor.started());
      void supervisor.stop();
      await sleep(1);
      expect(states(supervisor)).toBe("running running running stopping idle");
      expect(await added).toMatchObject({ code: "CLOSED" });
    });
    await run(children.slice(0, 3), { restartDelayMs: 500, name: "boss" }, async (supervisor) => {
      await sleep(50);
      expect(supervisor.tree()).toEqual({
        name: "boss",
        restarts: 1,
        children: [
          { id: "runs", state: "running", restart: "permanent", restarts: 0, supervisor: undefined },
          { id: "fails", state: "due", restart: "permanent", restarts: 0, supervisor: undefined },
          { id: "idles", state: "idle", restart: "transient", restarts: 0, supervisor: undefined },
        ],
      });
    });
  });
});
