/**
 * How far the reading has got: a bar on standard error, and only if a person looks on.
 */
import type { WriteStream } from "node:tty";
import type { Input } from "../examples/input-demo.ts";
import type { Surroundings } from "./surroundings.ts";

const EVERY_MS = 100;
const SHORTEST_BAR = 8;
const LONGEST_BAR = 40;
const USUAL_COLUMNS = 80;

/** The bar of one run. Lines that are printed meanwhile must be preceded by {@link Progress.clear}. */
export class Progress {
  readonly #around: Surroundings;
  readonly #stream: WriteStream;
  readonly #total: number | undefined;
  readonly #startMs = performance.now();
  #nextMs = this.#startMs;
  #onScreen = false;

  constructor(around: Surroundings, stream: WriteStream, inputs: readonly Input[]) {
    this.#around = around;
    this.#stream = stream;
    this.#total = inputs.reduce<number | undefined>(
      (sum, { size }) => (sum === undefined || size === undefined ? undefined : sum + size),
      0,
    );
  }

  /** Says that so many bytes have been read in all. */
  show(bytes: number): void {
    const nowMs = performance.now();
    if (!this.#stream.isTTY || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + EVERY_MS;
    // In the last column, some terminals begin a new line.
    const width = (this.#stream.columns || USUAL_COLUMNS) - 1;
    // What was printed so far must be there first: it may be the same screen.
    this.#around.stdout.writeNow("");
    this.#around.stderr.writeNow(
      `\r\u001B[K${progressLine(bytes, this.#total, nowMs - this.#startMs, width)}`,
    );
    this.#onScreen = true;
  }

  /** Takes the bar away, so that a line can be written. */
  clear(): void {
    if (this.#onScreen) this.#around.stderr.writeNow("\r\u001B[K");
    this.#onScreen = false;
  }
}

/** As much of it as there is room for: the bar is as long as the numbers leave it, and the last numbers go first. */
export function progressLine(
  bytes: number,
  total: number | undefined,
  elapsedMs: number,
  width: number,
): string {
  const rate = `${megabytes(bytes / Math.max(elapsedMs, 1) / 1e-3)}/s`;
  if (total === undefined || total === 0)
    return fitting([[megabytes(bytes), rate], [megabytes(bytes)]], width);
  const share = Math.min(1, bytes / total);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const of = `${megabytes(bytes)} of ${megabytes(total)}`;
  const texts = [[percent, of, rate], [percent, of], [percent]];
  const text = fitting(texts, width - SHORTEST_BAR - 3) || fitting(texts, width);
  const room = Math.min(LONGEST_BAR, width - text.length - 3);
  if (room < SHORTEST_BAR) return text;
  return `[${"#".repeat(Math.floor(share * room)).padEnd(room, ".")}] ${text}`;
}

/** The first that fits, or nothing. */
function fitting(texts: readonly (readonly string[])[], width: number): string {
  return texts.map((parts) => parts.join("  ")).find((text) => text.length <= width) ?? "";
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
