/**
 * Chance behind one small interface, so that a run can be repeated from a seed.
 */

/** A source of chance. */
export interface Random {
  /** A number in `[0, 1)`. */
  next(): number;
}

/** The default source. Not repeatable. */
export const systemRandom: Random = { next: () => Math.random() };

/**
 * A repeatable source: the same seed gives the same numbers on every machine.
 *
 * **Units** `seed`: a whole number from 0 to 2^32-1. `stream`: gives independent sequences of one seed, so that
 * one consumer's draws do not shift another's.
 * **Cost** O(1), 16 bytes of state.
 * **Not for** secrets.
 * **Source** sfc32 of Chris Doty-Humphrey's PractRand, warmed up by twelve rounds.
 *
 * @example
 * const one = seededRandom(7);
 * const two = seededRandom(7);
 * one.next() === two.next(); //=> true
 */
export function seededRandom(seed: number, stream = 0): Random {
  let a = seed >>> 0;
  let b = stream >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let round = 0; round < 12; round++) next();
  return { next };
}

/** A whole number in `[0, count)`. */
export function pick(random: Random, count: number): number {
  return Math.floor(random.next() * count);
}
