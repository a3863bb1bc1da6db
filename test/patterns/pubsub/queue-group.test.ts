import { PubSub } from "concurrency-model-patterns/pubsub";
import { type GroupMember, QueueGroup } from "concurrency-model-patterns/pubsub/queue-group";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { listenersOf } from "../../support/listeners.ts";
import { failureOf, thrownBy } from "../../support/outcomes.ts";

interface Jobs {
  job: number;
}

function groupOn(bus: PubSub<Jobs>, capacity = 16): QueueGroup<number> {
  return new QueueGroup(bus.subscribe("job", { capacity }));
}

async function allOf(member: GroupMember<number>, seen: number[]): Promise<void> {
  for await (const job of member) seen.push(job);
}

describe("a queue group", () => {
  inBothRuntimes(
    "gives each message to one member; groups and subscribers beside it get all",
    async () => {
      const bus = new PubSub<Jobs>();
      const [first, second] = [groupOn(bus, 1), groupOn(bus, 1)];
      const alone = bus.subscribe("job");
      const shared: number[] = [];
      const own: number[] = [];
      const reading = [
        allOf(first.join(), shared),
        allOf(first.join(), shared),
        allOf(first.join(), shared),
        allOf(second.join(), own),
      ];
      for (let job = 0; job < 9; job++) expect(await bus.publish("job", job)).toBe(3);
      bus.close();
      await Promise.all(reading);
      const jobs = [0, 1, 2, 3, 4, 5, 6, 7, 8];
      expect(shared.toSorted((a, b) => a - b)).toEqual(jobs);
      expect(own).toEqual(jobs);
      expect([alone.size, first.members, second.members, first.size, first.dropped]).toEqual([9, 0, 0, 0, 0]);
    },
    60,
  );

  inBothRuntimes(
    "is not held up by a member that is slow",
    async () => {
      const bus = new PubSub<Jobs>();
      const group = groupOn(bus, 0);
      const done: string[] = [];
      const work = async (name: string, delayMs: number): Promise<void> => {
        for await (const job of group.join()) {
          await sleep(delayMs);
          done.push(`${name} ${job}`);
        }
      };
      const slow = work("slow", 100);
      await settle();
      const fast = work("fast", 1);
      await settle();
      for (const job of [1, 2, 3, 4]) await bus.publish("job", job);
      bus.close();
      await Promise.all([slow, fast]);
      expect(done).toEqual(["fast 2", "fast 3", "fast 4", "slow 1"]);
    },
    20,
  );

  inBothRuntimes(
    "keeps the others when one member leaves, in any way, and loses no message",
    async () => {
      const bus = new PubSub<Jobs>();
      const group = groupOn(bus);
      const controller = new AbortController();
      const reason = new Error("enough");
      const leaver = group.join();
      const aborted = group.join(controller);
      const stays = group.join();
      const waits = [leaver.receive(), failureOf(aborted.receive())] as const;
      await settle();
      expect(group.members).toBe(3);
      leaver.leave();
      leaver[Symbol.dispose]();
      controller.abort(reason);
      expect(await waits[0]).toEqual({ value: undefined, done: true });
      expect(await waits[1]).toBe(reason);
      expect(await failureOf(aborted.receive())).toBe(reason);
      expect(thrownBy(() => aborted.tryReceive())).toBe(reason);
      expect(leaver.tryReceive()).toEqual({ value: undefined, done: true });
      expect([group.members, listenersOf(controller.signal), bus.subscribers("job")]).toEqual([1, 0, 1]);
      for (const job of [1, 2]) await bus.publish("job", job);
      for await (const job of group.join()) {
        expect(job).toBe(1);
        break;
      }
      expect(stays.tryReceive()).toEqual({ value: 2, done: false });
      expect(stays.tryReceive()).toBe(undefined);
      expect(group.members).toBe(1);
    },
    60,
  );

  inBothRuntimes(
    "lets a member give up a read, which then has taken nothing",
    async () => {
      const bus = new PubSub<Jobs>();
      const group = groupOn(bus);
      const member = group.join();
      const controller = new AbortController();
      const read = failureOf(member.receive(controller));
      await settle();
      const reason = new Error("not now");
      controller.abort(reason);
      expect(await read).toBe(reason);
      await bus.publish("job", 1);
      expect(await failureOf(member.receive(controller))).toBe(reason);
      expect([group.members, listenersOf(controller.signal)]).toEqual([1, 0]);
      expect((await member.receive()).value).toBe(1);
    },
    60,
  );

  inBothRuntimes(
    "ends for all with the bus or when it is unsubscribed; a signal that has aborted lets nobody in",
    async () => {
      const bus = new PubSub<Jobs>();
      const group = groupOn(bus);
      const reads = [group.join().receive(), group.join().receive()];
      await settle();
      group.unsubscribe();
      group[Symbol.dispose]();
      for (const read of reads) expect((await read).done).toBe(true);
      expect([group.members, bus.subscribers("job")]).toEqual([0, 0]);
      const reason = new Error("gone");
      expect(await failureOf(group.join({ signal: AbortSignal.abort(reason) }).receive())).toBe(reason);
      expect(group.members).toBe(0);
    },
    30,
  );

  inBothRuntimes(
    "that was too slow fails for its members once they have read the rest",
    async () => {
      const bus = new PubSub<Jobs>();
      const group = new QueueGroup(bus.subscribe("job", { capacity: 1, overflow: "disconnect" }));
      const member = group.join();
      for (const job of [1, 2]) await bus.publish("job", job);
      expect((await member.receive()).value).toBe(1);
      expect(await failureOf(member.receive())).toMatchObject({ code: "FULL" });
    },
    10,
  );
});
