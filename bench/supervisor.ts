/** Supervision: what a failure and the restart after it cost. */
import { Supervisor } from "../src/patterns/supervisor.ts";
import { check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";
import { peer } from "./peers.ts";

/** So many children fail at a time where many do. */
const CROWD = 100;

/** Many, so that those who start with it, and are not counted, do not matter. */
const OPERATIONS = { full: 20_000, quick: 4_000 };
/** Fewer for a single child: one of the peers takes a millisecond for each. */
const OPERATIONS_OF_ONE = { full: 1_000, quick: 400 };

/** A child that fails so many times, and then ends. */
class Failing {
  starts = 0;
  readonly #failures: number;

  constructor(failures: number) {
    this.#failures = failures;
  }

  start(): void {
    if (++this.starts <= this.#failures) throw new Error("fails");
  }
}

/** Runs all children until each has ended. */
type RunAll = (children: readonly Failing[], failures: number) => Promise<unknown>;

const ours: RunAll = (children) => {
  const specs = children.map((child, n) => ({
    id: `child ${n}`,
    restart: "transient" as const,
    start: () => child.start(),
  }));
  return new Supervisor(specs, { intensity: Number.POSITIVE_INFINITY }).wait();
};

interface CockatielModule {
  readonly handleAll: object;
  readonly retry: (
    policy: object,
    options: { readonly maxAttempts: number },
  ) => { execute(work: () => void): Promise<void> };
}

/** Effects, opaque here. */
interface EffectModule {
  readonly Effect: {
    try(work: { try(): void; catch(error: unknown): unknown }): object;
    retry(effect: object, options: { readonly times: number }): object;
    runPromise(effect: object): Promise<void>;
  };
}

const peers: Readonly<Record<string, () => Promise<RunAll>>> = {
  // Between two attempts it waits for a timer of 1 ms, the least there is.
  cockatiel: async () => {
    const { handleAll, retry } = (await peer("cockatiel")) as CockatielModule;
    return (children, failures) => {
      const policy = retry(handleAll, { maxAttempts: failures });
      return Promise.all(children.map((child) => policy.execute(() => child.start())));
    };
  },
  effect: async () => {
    const { Effect } = (await peer("effect")) as EffectModule;
    return (children, failures) => {
      const runs = children.map((child) => {
        const attempt = Effect.try({ try: () => child.start(), catch: (error) => error });
        return Effect.runPromise(Effect.retry(attempt, { times: failures }));
      });
      return Promise.all(runs);
    };
  },
};

/** A first draft: a loop. */
const naive: RunAll = (children, failures) =>
  Promise.all(
    children.map(async (child) => {
      for (let n = 0; n <= failures; n++) {
        try {
          child.start();
          await Promise.resolve();
          return;
        } catch {
          // Again.
        }
      }
    }),
  );

/** What nobody can do without: the failures. */
const floor: RunAll = async (children, failures) => {
  for (const child of children) {
    for (let n = 0; n <= failures; n++) {
      try {
        child.start();
      } catch {
        // Again.
      }
    }
  }
};

async function restarts(runAll: RunAll, count: number, operations: number): Promise<void> {
  const failures = Math.ceil(operations / count);
  const children = Array.from({ length: count }, () => new Failing(failures));
  await runAll(children, failures);
  for (const { starts } of children) check(starts, failures + 1);
}

function variantsFor(count: number): Record<string, NodeVariant> {
  const variant = (who: NodeVariant["who"], load: () => RunAll | Promise<RunAll>): NodeVariant => ({
    who,
    setUp: async (): Promise<Rounds> => {
      const runAll = await load();
      return (operations) => restarts(runAll, count, operations);
    },
  });
  return {
    ours: variant("ours", () => ours),
    ...Object.fromEntries(Object.entries(peers).map(([name, load]) => [name, variant("peer", load)])),
    loop: variant("naive", () => naive),
    "throw and catch": variant("floor", () => floor),
  };
}

const NOTE =
  "A third of the profile is the failure itself, an error with its stack. The rest is what a retry does not have: a task " +
  "that ends, the news of it, the intensity that is reckoned, a start in a task of its own.";

const goals = [{ of: "ours", versus: "best peer", atLeast: 1.5, note: NOTE }];

export const supervisor: Subject = {
  name: "supervisor",
  title: "Supervisor",
  cases: [
    {
      name: "one child",
      operation: "a failure of a child, and its restart",
      operations: OPERATIONS_OF_ONE,
      variants: { ...variantsFor(1), Go: { who: "go", program: "supervisor-one" } },
      goals,
    },
    {
      name: "many children",
      operation: `the same of ${CROWD} children at a time`,
      operations: OPERATIONS,
      variants: { ...variantsFor(CROWD), Go: { who: "go", program: "supervisor-many" } },
      goals,
    },
  ],
};
