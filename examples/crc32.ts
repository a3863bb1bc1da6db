/**
 * The checksum of gzip, of parts of a file that are worked on apart.
 */

/** The polynomial, and all others here, have their highest coefficient in the lowest bit. */
const POLYNOMIAL = 0xedb8_8320;
const ONE = 0x8000_0000;
/** x, and so x to the power of 8 is how one more byte shifts what came before. */
const X_TO_8 = 0x0080_0000;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = timesX(remainder);
  return remainder;
});

/** The CRC-32 of some bytes. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let at = 0; at < bytes.length; at++) {
    crc = (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** The CRC-32 of two parts in a row: that of the first is shifted by the bytes of the second. O(log `secondBytes`). */
export function crc32Combined(first: number, second: number, secondBytes: number): number {
  return (product(first, powerOf(X_TO_8, secondBytes)) ^ second) >>> 0;
}

function timesX(polynomial: number): number {
  return (polynomial & 1) === 0 ? polynomial >>> 1 : (polynomial >>> 1) ^ POLYNOMIAL;
}

/** Modulo the polynomial. */
function product(left: number, right: number): number {
  let sum = 0;
  let shifted = right;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((left & bit) !== 0) sum ^= shifted;
    shifted = timesX(shifted);
  }
  return sum;
}

function powerOf(base: number, exponent: number): number {
  let power = ONE;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = product(power, square);
    square = product(square, square);
  }
  return power;
}
