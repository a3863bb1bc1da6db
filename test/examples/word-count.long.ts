import { background } from "concurrency-model-patterns/context";
import { expect, test } from "vitest";
import { inputDemo } from "../../examples/word-count.ts";
import { hostless } from "../support/hostless.ts";

test("a line of 64 MiB without a space is one word", async () => {
  const mebibyte = new Uint8Array(1 << 20).fill(0x41);
  async function* open(): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < 64; n++) yield mebibyte;
    yield new TextEncoder().encode(" end");
  }
  const lengths: number[] = [];
  await inputDemo.run({
    params: { top: 0, threads: 0, memory: 1e6, job: undefined, output: undefined, force: false },
    ctx: background,
    inputs: [{ name: "input", given: "input", open }],
    host: hostless,
    print: (text = "") => void lengths.push(text.length),
    report: (problem) => expect.unreachable(problem),
    skip: (_, error) => expect.unreachable(String(error)),
    progress: () => {},
  });
  expect(lengths).toEqual([19, (64 << 20) + 5, 8]);
});
