import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GrowingList } from "../../src/core/growing-list.ts";
import { RingBuffer } from "../../src/core/ring-buffer.ts";
import { QueueNode, WaiterQueue } from "../../src/core/waiter-queue.ts";
import { type HeapTimer, TimerHeap } from "../../src/core/timer-heap.ts";

class Node extends QueueNode {
  readonly id: number;
  constructor(id: number) {
    super();
    this.id = id;
  }
}

describe("RingBuffer", () => {
  test("behaves as an array does, for any steps", () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 30, arbitrary: fc.constant("push") },
        { weight: 20, arbitrary: fc.constant("shift") },
        fc.constant("clear"),
        { weight: 10, arbitrary: fc.constant("set") },
      ),
      { minLength: 50, maxLength: 300 },
    );
    fc.assert(
      fc.property(steps, (plan) => {
        const ring = new RingBuffer<number>();
        let model: number[] = [];
        for (const [n, step] of plan.entries()) {
          if (step === "push") {
            ring.push(n);
            model.push(n);
          } else if (step === "clear") {
            ring.clear();
            model = [];
          } else if (step === "set") {
            const index = model.length >> 1;
            if (model.length > 0) ring.set(index, (model[index] = n));
          } else expect(ring.shift()).toBe(model.shift());
          expect(ring.size).toBe(model.length);
          expect(model.map((_, index) => ring.at(index))).toEqual(model);
        }
      }),
    );
  });
});

describe("GrowingList", () => {
  test.each([0, 1, 4095, 4096, 4097, 8192, 20_000])(
    "holds %i values in order, whichever are replaced",
    (count) => {
      const list = new GrowingList<number>();
      for (let n = 0; n < count; n++) list.push(n);
      expect(list.size).toBe(count);
      const replaced = [0, 1, 4095, 4096, 4097, 8191, 8192, 19_999].filter((index) => index < count);
      for (const index of replaced) list.set(index, -index - 1);
      const model = Array.from({ length: count }, (_, n) => (replaced.includes(n) ? -n - 1 : n));
      expect(list.toArray()).toEqual(model);
    },
  );
});

describe("WaiterQueue", () => {
  test("behaves as an array does, whoever leaves from wherever", () => {
    const step = fc.record({
      what: fc.constantFrom("push", "push", "shift", "remove"),
      at: fc.nat({ max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (plan) => {
        const queue = new WaiterQueue<Node>();
        const other = new WaiterQueue<Node>();
        const model: Node[] = [];
        const all: Node[] = [];
        for (const [n, { what, at }] of plan.entries()) {
          if (what === "push") {
            const node = new Node(n);
            queue.push(node);
            model.push(node);
            all.push(node);
          } else if (what === "shift") expect(queue.shift()).toBe(model.shift());
          else {
            const node = all[at];
            if (node === undefined) continue;
            other.remove(node);
            queue.remove(node);
            const place = model.indexOf(node);
            if (place >= 0) model.splice(place, 1);
          }
          expect([queue.size, queue.first?.id, other.size]).toEqual([model.length, model[0]?.id, 0]);
        }
        while (model.length > 0) expect(queue.shift()).toBe(model.shift());
        expect(queue.shift()).toBeUndefined();
      }),
    );
  });
});

describe("TimerHeap", () => {
  test("gives timers by their instant, then in the order in which they were set, without those that were cancelled", () => {
    const plan = fc.array(fc.record({ dueMs: fc.nat({ max: 20 }), cancel: fc.boolean() }), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(plan, (timers) => {
        const heap = new TimerHeap<HeapTimer>();
        const items = timers.map(({ dueMs, cancel }, id) => ({
          dueMs,
          id,
          cancel,
          state: "set" as HeapTimer["state"],
        }));
        for (const item of items) heap.push(item);
        for (const item of items) if (item.cancel) heap.cancel(item);
        const left = items
          .filter(({ cancel }) => !cancel)
          .toSorted((a, b) => a.dueMs - b.dueMs || a.id - b.id);
        for (const item of left) {
          expect(heap.first).toBe(item);
          expect(heap.shift()).toBe(item);
        }
        expect(heap.shift()).toBeUndefined();
      }),
    );
  });
});
