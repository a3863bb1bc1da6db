/** The words of ASCII text, in lower case: what the threads of our variant call. */
import type { CountKey } from "../../src/patterns/mapreduce/byte-counts.ts";

const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20;
  return byte >= 0x09 && byte <= 0x0d ? 0x20 : byte;
});

export function tally(block: Uint8Array, count: CountKey): void {
  const end = block.length;
  for (let at = 0; at < end; at++) {
    const from = at;
    for (; at < end; at++) {
      const byte = FOLDED[block[at] as number] as number;
      if (byte === 0x20) break;
      block[at] = byte;
    }
    if (at > from) count(from, at);
  }
}
