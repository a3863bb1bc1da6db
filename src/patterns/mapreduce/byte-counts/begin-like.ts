/**
 * Tables that are filled again and again, each time with about as many keys.
 */
import { type ByteTable, FULL } from "./table.ts";

/** Pages that are given so many entries each by chance are hardly ever full. */
const AS_FULL = FULL * 0.8;

/**
 * Begins anew, with as many pages as had room for the entries that are there now, and no fewer than 2^least: so the same pages
 * are not split each time. At most half of the memory is given to them.
 */
export function beginLike(table: ByteTable, least: number): void {
  const most = Math.floor(Math.log2(table.memory.most / 2));
  const wanted = Math.ceil(Math.log2((table.size + 1) / AS_FULL));
  table.begin(Math.max(least, Math.min(wanted, most)));
}
