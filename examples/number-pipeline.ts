/** Pipeline on real input: numbers, one a line, go through the stages of the pipeline demo as fast as they come. */
import { pipeline } from "concurrency-model-patterns/pipeline";
import { defineInputDemo, type Input, type InputRun } from "./input-demo.ts";

interface Line {
  readonly number: number;
  readonly text: string;
}

/** The lines of an input, wherever its chunks end. */
async function* linesOf(input: Input): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let number = 0;
  let rest = "";
  for await (const chunk of input.open()) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() as string;
    for (const text of parts) yield { number: ++number, text };
  }
  rest += decoder.decode();
  if (rest !== "") yield { number: ++number, text: rest };
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The numbers; a line that is none is reported and left out. */
async function* numbersOf(
  lines: AsyncIterable<Line>,
  name: string,
  report: InputRun<never>["report"],
): AsyncGenerator<number> {
  for await (const { number, text } of lines) {
    const typed = text.trim();
    if (NUMBER.test(typed)) yield Number(typed);
    else report(`${name}:${number}: not a number: ${JSON.stringify(typed.slice(0, 60))}`);
  }
}

export const inputDemo = defineInputDemo({
  about: "squares the numbers of a file, one a line, and adds 10",
  files: "FILE",
  inputs: "together",
  parameters: {},

  needsThreads: () => false,

  async run({ ctx, inputs, print, report }) {
    for (const input of inputs) {
      const results = pipeline(linesOf(input), { name: "lines", signal: ctx.signal, capacity: 64 })
        .through((lines) => numbersOf(lines, input.name, report), { name: "numbers", capacity: 64 })
        .map((n) => n * n, { name: "square", capacity: 64 })
        .map((n) => n + 10, { name: "add ten", capacity: 64 });
      await results.forEach((n) => print(`Result: ${n}`));
    }
  },
});
