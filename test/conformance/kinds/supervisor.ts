/** What keeps children running. */
import type { Context } from "concurrency-model-patterns/context";
import { sleep } from "concurrency-model-patterns/timers";
import { expect } from "vitest";
import type { CancelOptions } from "../../../src/core/cancellation.ts";
import { below, codeOf, type Crowd, Failure, Gauge, type Subject } from "../subject.ts";

/** A `Supervisor` that stays, with no limit to its restarts, is one. */
export interface SupervisorLike {
  readonly active: number;
  add(
    child: { readonly id: string; readonly start: (child: Life) => Promise<void> },
    options?: CancelOptions,
  ): Promise<void>;
  remove(id: string, options?: CancelOptions): Promise<boolean>;
  restart(id: string, options?: CancelOptions): Promise<void>;
  stop(): Promise<void>;
}

interface Life {
  readonly ctx: Context;
}

function supervisorCrowd(supervisor: SupervisorLike): Crowd {
  const lives = new Gauge();
  const children = new Map<string, Gauge>();
  let stopped = false;
  const live = async (id: string, { ctx }: Life): Promise<void> => {
    const own = children.get(id) ?? new Gauge();
    children.set(id, own);
    own.enter();
    lives.enter();
    try {
      await sleep(below(8), ctx);
      if (below(2) === 0) throw new Failure(0);
    } finally {
      own.leave();
      lives.leave();
    }
  };
  const idOf = (n: number): string => `child ${n % 4}`;
  return {
    parties: [
      {
        name: "add",
        call: async (n, options) => {
          const id = idOf(n);
          await supervisor.add({ id, start: (life) => live(id, life) }, options);
        },
      },
      { name: "remove", call: (n, options) => supervisor.remove(idOf(n), options) },
      { name: "restart", call: (n, options) => supervisor.restart(idOf(n), options) },
    ],
    checkBounds: () => {
      for (const { most } of children.values())
        expect(most, "promise 2: a child has one life at a time").toBeLessThanOrEqual(1);
    },
    explains: (error) => {
      if (codeOf(error) === "MISUSE") return true;
      return stopped && codeOf(error) === "CLOSED";
    },
    end: async () => {
      stopped = true;
      await supervisor.stop();
    },
    checkAccounts: () => {
      expect([supervisor.active, lives.now], "promise 4: no child is left").toEqual([0, 0]);
    },
  };
}

export function supervisorSubject(make: () => SupervisorLike): Subject {
  return {
    crowds: { "": () => supervisorCrowd(make()) },
    callbacks: {
      "the start of a child": async ({ owner, other, callback }) => {
        const supervisor = make();
        const start = async ({ ctx }: Life): Promise<void> => {
          callback();
          await sleep(Number.POSITIVE_INFINITY, ctx);
        };
        await owner(() => supervisor.add({ id: "child", start }));
        await other(() => supervisor.restart("child"));
        await other(() => supervisor.stop());
      },
    },
  };
}
