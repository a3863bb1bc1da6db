/**
 * Keys as numbers: the first sixteen bytes are four numbers of 32 bits, with zeros behind the end of the key. So keys are
 * hashed and compared four bytes at a time, and most of them as a whole.
 */

/** A key that is no longer is in its entry as a whole. Of a longer one, so many less four are. */
export const SHORT_BYTES = 16;
export const HEAD_BYTES = 12;

/** What of the four numbers belongs to a key of a length: four masks a length. */
export const MASKS: Int32Array = Int32Array.from({ length: (SHORT_BYTES + 1) * 4 }, (_, index) => {
  const bytes = Math.min(4, Math.max(0, (index >> 2) - 4 * (index & 3)));
  return bytes === 4 ? -1 : (1 << (8 * bytes)) - 1;
});

/**
 * The hash of four numbers. Two lanes, which a processor works on at once; the last steps carry every bit to the first
 * ones, which say where the key is looked for. The constants are those of MurmurHash3 and xxHash.
 */
export function hashOf(seed: number, k0: number, k1: number, k2: number, k3: number): number {
  let left = Math.imul(k0 ^ seed, 0x85eb_ca6b);
  let right = Math.imul(k2 + seed, 0x9e37_79b1);
  left = Math.imul(left ^ (left >>> 15) ^ k1, 0xc2b2_ae35);
  right = Math.imul(right ^ (right >>> 15) ^ k3, 0x27d4_eb2f);
  left ^= (right << 13) | (right >>> 19);
  left = Math.imul(left ^ (left >>> 16), 0x85eb_ca6b);
  return left ^ (left >>> 13);
}

/** The bytes from `at` on, of which there are less than four, as a number with zeros behind them. */
export function tail(view: DataView, at: number, end: number): number {
  let number = 0;
  for (let index = end - 1; index >= at; index--) number = (number << 8) | view.getUint8(index);
  return number;
}

/** What the bytes of a long key behind its head add to its hash. */
export function hashOfRest(view: DataView, at: number, end: number): number {
  let hash = end - at;
  let index = at;
  for (; index + 4 <= end; index += 4) {
    hash = Math.imul(hash ^ view.getInt32(index, true), 0xc2b2_ae35);
    hash ^= hash >>> 15;
  }
  if (index < end) hash = Math.imul(hash ^ tail(view, index, end), 0xc2b2_ae35);
  return hash ^ (hash >>> 15);
}

/**
 * The bytes of a key behind its head, which a table holds from the integer `rest` on, in an order that does not depend on the
 * machine's. Good until the next call.
 */
export function restOf(ints: Int32Array, rest: number, length: number): DataView {
  const numbers = (length - HEAD_BYTES + 3) >> 2;
  if (restView.byteLength < 4 * numbers) restView = new DataView(new ArrayBuffer(8 * numbers));
  for (let index = 0; index < numbers; index++)
    restView.setInt32(4 * index, ints[rest + index] as number, true);
  return restView;
}

let restView = new DataView(new ArrayBuffer(1024));
