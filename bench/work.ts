/** What is done for each value, and with what comes of it, alike in the subjects of pipelines, fans, maps and pools. */
import { check } from "./harness/subject.ts";

/** The values from 0 on. */
export function* numbers(count: number): Generator<number, void, undefined> {
  for (let n = 0; n < count; n++) yield n;
}

/** The work on one value: it waits for nothing, but its result is a promise, as with most work. */
export async function work(n: number): Promise<number> {
  return n + 1;
}

/** What the results of {@link work} must come to, in whatever order. */
export function checkWorked(results: readonly number[], values: number): void {
  check(results.length, values);
  check(sumOf(results), (values * (values + 1)) / 2);
}

/** The same where results must have the order of the values. */
export function checkInOrder(results: readonly number[], values: number): void {
  checkWorked(results, values);
  for (let n = 0; n < values; n++) check(results[n], n + 1);
}

export function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const n of numbers) sum += n;
  return sum;
}
