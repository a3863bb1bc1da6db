import type { Tally } from "concurrency-model-patterns/threads/mapreduce/count";

export const tally: Tally;
export const lines: Tally;
export const weighed: Tally;
export const exits: Tally;
export const exitsPouring: Tally;
export const alwaysExits: Tally;
export const throws: Tally;
export const waits: Tally;
export const outside: Tally;
export const backwards: Tally;
export const noTimes: Tally;
export const later: Tally;
export const spins: Tally;
export const threadOf: Tally;
export const noFunction: number;
