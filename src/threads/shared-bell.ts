/**
 * Words in shared memory at which threads wait for news: bells.
 *
 * Who finds nothing to do marks the bell, looks once more, and only then sleeps until it rings. Who makes news rings it
 * afterwards, if it is marked. Both look after they have written, so at least one of them sees the other, and no wake-up is
 * lost. All who sleep are woken, and not one: that one may have been given up meanwhile, or be in a thread that is busy,
 * and the others would sleep on. A bell costs who makes news one look, as long as nobody sleeps.
 *
 * A thread may be ended after it has made news and before it rings. So nobody sleeps for ever: who has slept for long looks
 * again.
 *
 * **Source** D. Vyukov's eventcount; the futex of Linux.
 */

/** A bell, as the number of its word: a count, plus one while it is marked. */
export type Bell = number;

/** So long one sleeps at most: a million times as long as whoever makes news needs for that on an idle machine. */
export const PATIENCE_MS = 2000;

/** Marks a bell, and gives what to wait at. Who then looks once more, and sleeps if there still is no news, misses none. */
export function markBell(words: Int32Array, bell: Bell): number {
  for (;;) {
    const word = Atomics.load(words, bell);
    if ((word & 1) === 1 || Atomics.compareExchange(words, bell, word, word | 1) === word) return word | 1;
  }
}

/** There is news. If another rings it first, that one's news are as late as this one's. */
export function ringIfMarked(words: Int32Array, bell: Bell): void {
  const word = Atomics.load(words, bell);
  if ((word & 1) === 0) return;
  if (Atomics.compareExchange(words, bell, word, (word + 1) | 0) === word) Atomics.notify(words, bell);
}

/** There is news that concerns all who wait, or are about to. */
export function ringBell(words: Int32Array, bell: Bell): void {
  Atomics.add(words, bell, 2);
  Atomics.notify(words, bell);
}

/** Waits until a bell that was marked rings, or for {@link PATIENCE_MS}; undefined if it has rung already. */
export function bellRings(
  words: Int32Array,
  bell: Bell,
  marked: number,
): Promise<"ok" | "timed-out"> | undefined {
  const waited = waitAsync(words, bell, marked, PATIENCE_MS);
  return waited.async ? waited.value : undefined;
}

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
) => { readonly async: false } | { readonly async: true; readonly value: Promise<"ok" | "timed-out"> };

/** Of ES2024, which every runtime of today has. */
const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };
