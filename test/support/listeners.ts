/** What tests ask of the host: its timers, its listeners, its turns. */
export { hostTimers, listenersOf } from "./leftovers.ts";

/**
 * Whether a timer of the host, due in 10 ms, gets its turn while `program` runs. `program` goes on until `over` says so:
 * when the timer has fired, or when it has been asked a million times and the timer has not.
 */
export async function hostGetsItsTurn(program: (over: () => boolean) => Promise<unknown>): Promise<boolean> {
  let fired = false;
  let asked = 0;
  const timer = setTimeout(() => {
    fired = true;
  }, 10);
  await program(() => fired || ++asked >= 1_000_000);
  const inTime = fired;
  clearTimeout(timer);
  return inTime;
}

/** Numbers, until it is over. */
export function* until(over: () => boolean): Generator<number> {
  for (let n = 0; !over(); n++) yield n;
}
