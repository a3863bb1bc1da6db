/**
 * How far the reading has got, on standard error and only if a person looks on.
 */
import type { Input } from "../examples/input-demo.ts";
import type { Output } from "./output.ts";

const EVERY_MS = 100;

export class Progress {
  readonly #output: Output;
  readonly #shown: boolean;
  readonly #total: number | undefined;
  #nextMs = 0;
  #onScreen = false;

  constructor(output: Output, stream: NodeJS.WriteStream, inputs: readonly Input[]) {
    this.#output = output;
    this.#shown = stream.isTTY;
    this.#total = inputs.reduce<number | undefined>(
      (sum, { size }) => (sum === undefined || size === undefined ? undefined : sum + size),
      0,
    );
  }

  /** Says that so many bytes have been read in all. */
  show(bytes: number): void {
    const nowMs = performance.now();
    if (!this.#shown || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + EVERY_MS;
    const share = this.#total === undefined || this.#total === 0 ? undefined : bytes / this.#total;
    const of =
      share === undefined ? "" : ` of ${megabytes(this.#total as number)} (${Math.floor(share * 100)} %)`;
    this.#output.write(`\r\u001B[Kread ${megabytes(bytes)}${of}`);
    this.#onScreen = true;
  }

  /** Takes the line away, so that another can be written. */
  clear(): void {
    if (this.#onScreen) this.#output.write("\r\u001B[K");
    this.#onScreen = false;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
