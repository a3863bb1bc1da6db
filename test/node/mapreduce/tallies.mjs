/** What the threads of the tests call for each block. */
import { openSync } from "node:fs";
import { workerData } from "node:worker_threads";

const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20;
  return byte >= 0x09 && byte <= 0x0d ? 0x20 : byte;
});

/** Words of ASCII, in lower case; every other byte is part of a word. */
export function tally(block, count) {
  for (let at = 0; at < block.length; at++) {
    const from = at;
    for (; at < block.length; at++) {
      block[at] = FOLDED[block[at]];
      if (block[at] === 0x20) break;
    }
    if (at > from) count(from, at);
  }
}

/** Whole lines, without their ends. */
export function lines(block, count) {
  for (let at = 0; at < block.length; ) {
    const end = block.indexOf(0x0a, at);
    count(at, end === -1 ? block.length : end);
    at = end === -1 ? block.length : end + 1;
  }
}

/** The line `weigh KEY TIMES` counts so often. */
export function weighed(block, count) {
  for (const line of new TextDecoder().decode(block).split("\n")) {
    const [kind, key, times] = line.split(" ");
    if (kind === "weigh") count.key(key, Number(times));
    if (kind === "bytes") count.key(Uint8Array.from(key.split(","), Number), Number(times));
    if (kind === "nothing") count(0, 0, Number(times));
  }
}

/** True for the first who asks for it, among all threads. */
function isFirst(mark) {
  try {
    openSync(mark, "wx");
    return true;
  } catch {
    return false;
  }
}

const { MARK = "" } = process.env;

/** Ends its thread in the midst of the third block that it sees; only the first thread that comes so far. */
let blocks = 0;
export function exits(block, count) {
  if (++blocks === 3 && isFirst(MARK)) {
    tally(block.subarray(0, block.length >> 1), count);
    process.exit(3);
  }
  tally(block, count);
}

/** Ends its thread while that pours its counts into the shared table: it takes one of its locks. */
export function exitsPouring(block, count) {
  tally(block, count);
  const { compareExchange } = Atomics;
  let locks = 0;
  Atomics.compareExchange = (cells, index, from, to) => {
    if (to === 1 && ++locks === 20 && isFirst(MARK)) {
      Atomics.compareExchange = compareExchange;
      compareExchange(cells, index, from, to);
      process.exit(4);
    }
    return compareExchange(cells, index, from, to);
  };
}

export function alwaysExits() {
  process.exit(5);
}
export function throws() {
  throw Object.assign(new RangeError("not this"), { code: "OWN" });
}
export async function waits() {}
export function outside(block, count) {
  count(0, block.length + 1);
}
export function backwards(_block, count) {
  count(3, 1);
}
export function noTimes(_block, count) {
  count(0, 1, 0.5);
}
let kept;
export function later(block, count) {
  kept ??= count;
  if (kept !== count) kept.key("late");
  tally(block, count);
}
export function spins(block) {
  openSync(MARK, "w");
  if (block.length > 0) for (;;);
}
export function threadOf(_block, count) {
  count.key(`thread ${workerData.worker}`);
}
export const noFunction = 3;
