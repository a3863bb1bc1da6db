/** Measures a case: all variants warm up, then they take turns, round after round. */
import { quietestCore } from "./cores.ts";
import { countingWorker, goWorker, nodeWorker, type Worker } from "./processes.ts";
import type { Case, Goal, Subject, Unit, Variant, Who } from "./subject.ts";
import { medianOf, quantileOf } from "./statistics.ts";
import type { Told } from "./worker.ts";

/** How long and how often. */
export interface Effort {
  readonly name: "full" | "quick";
  readonly roundMs: number;
  readonly warmUps: number;
  readonly rounds: number;
}

export interface MeasuredSubject {
  readonly name: string;
  readonly title: string;
  readonly cases: readonly MeasuredCase[];
}

export interface MeasuredCase {
  readonly name: string;
  readonly operation: string;
  readonly unit: Unit;
  readonly variants: readonly MeasuredVariant[];
  readonly goals: readonly MeasuredGoal[];
}

export interface MeasuredVariant {
  readonly name: string;
  readonly who: Who;
  readonly idiom: string;
  readonly median: number;
  /** The tenth and the ninetieth percentile of the rounds. */
  readonly low: number;
  readonly high: number;
  readonly cpuNs: number;
  /** The figure of each round, in the order in which they were run. */
  readonly rounds: readonly number[];
  /** How many times as fast as the best peer, and as Go, it is: the median over the rounds. */
  readonly versusPeer: number | undefined;
  readonly versusGo: number | undefined;
}

export interface MeasuredGoal extends Goal {
  /** The best peer, where that was asked for. */
  readonly against: string | undefined;
  readonly value: number | undefined;
  readonly reached: boolean | undefined;
}

type Timed = Omit<MeasuredVariant, "versusPeer" | "versusGo">;

/** Measures all cases whose name has one of the words. */
export async function measureSubject(
  subject: Subject,
  effort: Effort,
  hasGo: boolean,
  told: (measured: MeasuredCase) => void,
): Promise<MeasuredSubject> {
  const cases: MeasuredCase[] = [];
  for (const one of subject.cases) {
    const measured = await measureCase(subject, one, effort, hasGo);
    cases.push(measured);
    told(measured);
  }
  return { name: subject.name, title: subject.title, cases };
}

async function measureCase(
  subject: Subject,
  one: Case,
  effort: Effort,
  hasGo: boolean,
): Promise<MeasuredCase> {
  const variants = Object.entries(one.variants).filter(([, { who }]) => hasGo || who !== "go");
  const core = subject.manyCores === true || one.counted === true ? undefined : quietestCore();
  const starting: Promise<Worker>[] = [];
  try {
    for (const [name, variant] of variants) {
      const started = workerOf(subject.name, one, name, variant, core);
      starting.push(started);
      // What works on several cores may also prepare files for the others.
      if (core === undefined) await started;
    }
    const rounds = await roundsOf(await Promise.all(starting), one, effort);
    const timed = variants.map(([name, variant], index) => timedVariant(name, variant, rounds[index] ?? []));
    return { ...described(one), ...compared(timed, one.goals ?? []) };
  } finally {
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === "fulfilled") started.value.end();
    }
  }
}

function workerOf(
  subject: string,
  one: Case,
  name: string,
  variant: Variant,
  core: number | undefined,
): Promise<Worker> {
  if ("program" in variant) return Promise.resolve(goWorker(variant));
  return one.counted === true ? countingWorker(variant) : nodeWorker(subject, one.name, name, core);
}

function described({
  name,
  operation,
  unit = "ns",
}: Case): Pick<MeasuredCase, "name" | "operation" | "unit"> {
  return { name, operation, unit };
}

/** The counted rounds of each worker. In each pass they begin with another, so that none always follows the same. */
async function roundsOf(workers: readonly Worker[], one: Case, effort: Effort): Promise<readonly Told[][]> {
  const { roundMs } = effort;
  const warmUps = one.rounds === undefined ? effort.warmUps : 0;
  const rounds = Math.min(effort.rounds, one.rounds ?? effort.rounds);
  const asked = typeof one.operations === "object" ? one.operations[effort.name] : one.operations;
  const operations: number[] = [];
  const counted: Told[][] = workers.map(() => []);
  for (let pass = -warmUps - 1; pass < rounds; pass++) {
    for (let turn = 0; turn < workers.length; turn++) {
      const index = (turn + pass + warmUps + 1) % workers.length;
      // While it warms up it becomes faster: so many operations as fill a round are found out anew each time.
      const told = await workers[index]?.round({ operations: pass < 0 ? asked : operations[index], roundMs });
      if (told === undefined) continue;
      if (pass < 0) operations[index] = told.operations;
      else counted[index]?.push(told);
    }
  }
  return counted;
}

function timedVariant(name: string, { who, idiom = "" }: Variant, told: readonly Told[]): Timed {
  const rounds = told.map(({ figure }) => figure);
  const cpuNs = medianOf(told.map((round) => round.cpuNs));
  const [low, high] = [quantileOf(rounds, 0.1), quantileOf(rounds, 0.9)];
  return { name, who, idiom, median: medianOf(rounds), low, high, cpuNs, rounds };
}

function compared(timed: readonly Timed[], goals: readonly Goal[]): Pick<MeasuredCase, "variants" | "goals"> {
  const peer = fastest(timed.filter(({ who }) => who === "peer"));
  const go = fastest(timed.filter(({ who }) => who === "go"));
  const variants = timed.map((one) => ({
    ...one,
    versusPeer: peer && timesAsFast(one, peer),
    versusGo: go && timesAsFast(one, go),
  }));
  return { variants, goals: goals.map((goal) => judged(goal, timed, peer)) };
}

function fastest(timed: readonly Timed[]): Timed | undefined {
  return timed.toSorted((one, other) => one.median - other.median)[0];
}

/** Of rounds that were run next to each other, so that what slows the machine for a while slows both. */
function timesAsFast(one: Timed, than: Timed): number {
  return medianOf(one.rounds.map((figure, index) => (than.rounds[index] ?? Number.NaN) / figure));
}

function judged(goal: Goal, timed: readonly Timed[], peer: Timed | undefined): MeasuredGoal {
  const of = timed.find(({ name }) => name === goal.of);
  const against = goal.versus === "best peer" ? peer : timed.find(({ name }) => name === goal.versus);
  const value = valueOf(goal, of, against);
  const { atLeast = 0, atMost = Number.POSITIVE_INFINITY } = goal;
  const reached = value === undefined ? undefined : value >= atLeast && value <= atMost;
  return { ...goal, against: against?.name, value, reached };
}

function valueOf(goal: Goal, of: Timed | undefined, against: Timed | undefined): number | undefined {
  if (of === undefined) throw new Error(`a goal of ${goal.of}, which is no variant`);
  if (goal.versus === undefined) return of.median;
  if (against === undefined) return undefined;
  return goal.atLeast === undefined ? timesAsFast(against, of) : timesAsFast(of, against);
}
