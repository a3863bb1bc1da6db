import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { background, withCancel } from "concurrency-model-patterns/context";
import { fanIn } from "concurrency-model-patterns/fan";
import { pipeline } from "concurrency-model-patterns/pipeline";
import { describe, expect, test } from "vitest";
import { failureOf } from "../../support/outcomes.ts";

const boom = new Error("boom");

/** Ways to make a stream of the host that gives these values and then, if it is to be silent, nothing at all. */
const kinds = {
  "a Node stream": (values: readonly number[], end: "ends" | "silent", left: () => void) => {
    const rest = [...values];
    return new Readable({
      objectMode: true,
      read() {
        if (rest.length > 0) this.push(rest.shift());
        else if (end === "ends") this.push(null);
      },
      destroy(error, callback) {
        left();
        callback(error);
      },
    });
  },
  "a Web stream": (values: readonly number[], end: "ends" | "silent", left: () => void) => {
    const rest = [...values];
    return new ReadableStream<number>({
      pull(controller) {
        const value = rest.shift();
        if (value !== undefined) controller.enqueue(value);
        else if (end === "ends") controller.close();
        else return new Promise<void>(() => {});
        return undefined;
      },
      cancel: left,
    });
  },
};

describe.each(Object.entries(kinds))("%s as a source", (_, open) => {
  test("gives all its values, and ends", async () => {
    const stream: AsyncIterable<number> = open([1, 2, 3], "ends", () => {});
    expect(
      await pipeline(stream)
        .map((n) => n * 2)
        .toArray(),
    ).toEqual([2, 4, 6]);
  });

  test("is told when the loop is left early", async () => {
    let left = 0;
    const stream: AsyncIterable<number> = open([1, 2, 3], "silent", () => left++);
    for await (const n of pipeline(stream)) if (n === 2) break;
    expect(left).toBe(1);
  });

  test("is told while it is silent, and holds nobody up", async () => {
    let left = 0;
    const stream: AsyncIterable<number> = open([], "silent", () => left++);
    const { ctx, cancel } = withCancel(background);
    const reading = failureOf(pipeline(stream, ctx).toArray());
    await nextTurn();
    await nextTurn();
    cancel(boom);
    expect(await reading).toBe(boom);
    expect(left).toBe(1);
  });

  test("is told while it is silent when another source of the same merge fails", async () => {
    let left = 0;
    const stream: AsyncIterable<number> = open([], "silent", () => left++);
    const fails = async function* (): AsyncGenerator<number> {
      yield await nextTurn(1);
      throw boom;
    };
    expect(await failureOf(fanIn([stream, fails()]).toArray())).toBe(boom);
    expect(left).toBe(1);
  });
});

describe("a stream of the host that fails", () => {
  test("fails the pipeline with its own error: of Node", async () => {
    const stream = new Readable({
      objectMode: true,
      read() {
        this.destroy(boom);
      },
    });
    expect(await failureOf(pipeline(stream as AsyncIterable<number>).toArray())).toBe(boom);
  });

  test("fails the pipeline with its own error: of the Web", async () => {
    const stream = new ReadableStream<number>({ pull: (controller) => controller.error(boom) });
    expect(await failureOf(pipeline(stream as AsyncIterable<number>).toArray())).toBe(boom);
  });
});
