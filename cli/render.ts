/**
 * From the event log to what is printed: the log itself, or the transcript in it.
 */
import type { RunEvent } from "concurrency-model-patterns/testing";
import type { Output } from "./output.ts";
import type { RunOptions } from "./command-line.ts";

/** Takes events and prints them. */
export type Renderer = (event: RunEvent) => void;

/** The renderer that the options ask for. */
export function rendererFor(options: RunOptions, output: Output, stream: NodeJS.WriteStream): Renderer {
  if (options.json) return (event) => output.write(`${JSON.stringify(event)}\n`);
  const hues = wantsColor(options.color, stream) ? huesOf(stream) : [];
  return (event) => {
    if (event.k === "log") output.write(`${painted(event.text, event.task, hues)}\n`);
  };
}

/** `--color`, then what the environment says in the order in which Node takes it, then whether a person looks on. */
function wantsColor(color: RunOptions["color"], stream: NodeJS.WriteStream): boolean {
  if (color !== "auto") return color === "always";
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return TERM !== "dumb" && stream.isTTY;
}

/** Okabe and Ito's hues, which people with any colour vision can tell apart, in the 256 colours; else the first six. */
const HUES = [214, 74, 36, 220, 33, 166, 175, 248].map((hue) => `38;5;${hue}`);
const FEW_HUES = [33, 36, 32, 34, 31, 35].map(String);

function huesOf(stream: NodeJS.WriteStream): readonly string[] {
  return stream.isTTY && stream.getColorDepth() < 8 ? FEW_HUES : HUES;
}

/** A line in the hue of its task. The main task has none, nor has an empty line. */
function painted(text: string, task: number | undefined, hues: readonly string[]): string {
  if (hues.length === 0 || task === undefined || task === 0 || text === "") return text;
  return `\u001B[${hues[(task - 1) % hues.length]}m${text}\u001B[0m`;
}
