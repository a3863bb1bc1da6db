/** The process of one variant: does rounds when it is told to, and tells how long they took. */
import { subjects } from "../subjects.ts";
import type { NodeVariant, Rounds } from "./subject.ts";

/** Asks for a round. */
export interface Ask {
  /** So many operations; undefined: as many as take `roundMs`, found out by trying. */
  readonly operations: number | undefined;
  readonly roundMs: number;
}

/** What came of it. */
export interface Told {
  readonly operations: number;
  /** In the case's unit. */
  readonly figure: number;
  /** Of the processor, for each operation, in nanoseconds. */
  readonly cpuNs: number;
}

/** So many operations fill a round, as far as is known. What is not warm yet takes longer, so it only grows. */
let most = 16;
let filled = 0;

const [, , subjectName, caseName, variantName] = process.argv;
const subject = subjects.find(({ name }) => name === subjectName);
const measured = subject?.cases.find(({ name }) => name === caseName);
const variant = measured?.variants[variantName ?? ""] as NodeVariant;
const rounds = await variant.setUp();

process.on("message", (ask: Ask) => {
  void answer(ask).then((told) => process.send?.(told));
});
process.on("disconnect", () => process.exit());
process.send?.("ready");

async function answer({ operations, roundMs }: Ask): Promise<Told> {
  if (operations !== undefined) return await timed(rounds, operations);
  // Before it is warm it takes longer: it has filled a round twice before it counts.
  for (;;) {
    const startedMs = performance.now();
    const told = await timed(rounds, most);
    const tookMs = performance.now() - startedMs;
    if (tookMs >= roundMs / 2 && ++filled >= 2) return told;
    if (tookMs < roundMs / 2)
      most = Math.ceil(most * Math.min(8, Math.max(1.3, roundMs / Math.max(tookMs, 0.01))));
  }
}

async function timed(run: Rounds, operations: number): Promise<Told> {
  const cpu = process.cpuUsage();
  const started = process.hrtime.bigint();
  const given = await run(operations);
  const tookNs = Number(process.hrtime.bigint() - started);
  const { user, system } = process.cpuUsage(cpu);
  const cpuNs = ((user + system) * 1000) / operations;
  return { operations, figure: given ?? tookNs / operations, cpuNs };
}
