/** What comes from outside of a simulation: after more turns of the host than a step includes, on however fast a machine. */
import { setImmediate as nextTurn } from "node:timers/promises";

export async function fromOutside<T>(value: T): Promise<T> {
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  return value;
}
