/** What the threads of every variant do. */
export interface Job {
  readonly k: number;
  readonly x: number;
}

/** So little that only the way there and back is measured. */
export function tiny({ k, x }: Job): Job {
  return { k, x: x + 1 };
}

/** Keeps a core busy for so long. */
export function busy(ms: number): number {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
}

/** The same so many times, without having to ask for more. */
export function busyTimes({ ms, times }: { readonly ms: number; readonly times: number }): number {
  for (let time = 0; time < times; time++) busy(ms);
  return times;
}

/** The least that can be done with a number. */
export function next(n: number): number {
  return n + 1;
}
