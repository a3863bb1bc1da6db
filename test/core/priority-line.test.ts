import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { QueueNode } from "../../src/core/waiter-queue.ts";
import { PATIENCE, PriorityLine } from "../../src/core/priority-line.ts";

class Member extends QueueNode {
  readonly priority: number;
  readonly place: number;

  constructor(priority: number, place: number) {
    super();
    this.priority = priority;
    this.place = place;
  }
}

function lineOf(...priorities: readonly number[]): { line: PriorityLine<Member>; members: Member[] } {
  const line = new PriorityLine<Member>();
  const members = priorities.map((priority, index) => new Member(priority, index));
  for (const member of members) line.push(member);
  return { line, members };
}

function takeAll(line: PriorityLine<Member>): string[] {
  const taken: string[] = [];
  for (let next = line.shift(); next !== undefined; next = line.shift()) {
    taken.push(`${next.priority}:${next.place}`);
  }
  return taken;
}

describe("a priority line", () => {
  test("is first in, first out as long as all are equal", () => {
    const { line } = lineOf(...Array.from({ length: 20 }, () => 0));
    expect(takeAll(line)).toEqual(Array.from({ length: 20 }, (_, place) => `0:${place}`));
  });

  test("lets the urgent go first, and the equal in the order in which they came", () => {
    const { line } = lineOf(0, 2, -1, 2, 0);
    expect(line.size).toBe(5);
    expect(takeAll(line)).toEqual(["2:1", "2:3", "0:0", "0:4", "-1:2"]);
    expect(line.size).toBe(0);
  });

  test("lets a member leave from anywhere, and does not look for it later", () => {
    const { line, members } = lineOf(1, 0, 1, 0);
    for (const member of [members[0], members[3]]) member?.queue?.remove(member);
    expect(line.size).toBe(2);
    expect(line.oldest).toBe(members[1]);
    expect(takeAll(line)).toEqual(["1:2", "0:1"]);
    expect(line.oldest).toBe(undefined);
  });

  test("takes whoever has waited longest once in eight turns, though the urgent keep coming", () => {
    const { line } = lineOf(0, 0);
    let place = 10;
    const patient: number[] = [];
    for (let turn = 1; patient.length < 2; turn++) {
      while (line.size < 10) line.push(new Member(9, place++));
      if (line.shift()?.priority === 0) patient.push(turn);
    }
    expect(patient).toEqual([PATIENCE, 2 * PATIENCE]);
  });

  test("never lets a member with k older ones before it wait for more than (k + 1) * 8 turns", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 4 }) },
      { weight: 2, arbitrary: fc.constant("take") },
    );
    const property = fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const line = new PriorityLine<Member>();
      const due = new Map<number, number>();
      let place = 0;
      let turn = 0;
      for (const next of steps) {
        if (typeof next === "string") {
          const taken = line.shift();
          turn++;
          if (taken === undefined) expect(due.size).toBe(0);
          else {
            expect(turn).toBeLessThanOrEqual(due.get(taken.place) ?? 0);
            due.delete(taken.place);
          }
        } else {
          due.set(place, turn + (due.size + 1) * PATIENCE);
          line.push(new Member(next, place++));
        }
      }
      expect(line.size).toBe(due.size);
      for (const dueTurn of due.values()) expect(dueTurn).toBeGreaterThanOrEqual(turn);
    });
    expect(() => fc.assert(property, { numRuns: 200, seed: 7 })).not.toThrow();
  });
});
