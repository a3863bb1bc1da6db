/** Rate limiting: the cost of a verdict, and how exactly a rate is kept. */
import { GcraLimiter } from "../src/patterns/rate-limiting/gcra.ts";
import { KeyedLimiters } from "../src/patterns/rate-limiting/keyed.ts";
import { RateLimiter } from "../src/patterns/rate-limiting.ts";
import { check, type NodeVariant, type Rounds, type Subject, type Variant } from "./harness/subject.ts";
import { quantileOf } from "./harness/statistics.ts";
import { peer } from "./peers.ts";

// Bottleneck has no verdict at once: every job goes through its queues, and what is measured would be those.

/** A rate that refuses nothing here, and one that after its burst grants nothing. */
const PLENTY = 1e9;
const SCARCE = { perSecond: 1e-6, burst: 10 };

type Allow = () => boolean | Promise<boolean>;

/** Makes a limiter of so many a second, with so large a burst. */
type MakeAllow = (perSecond: number, burst: number) => Allow | Promise<Allow>;

const ours: MakeAllow = (perSecond, burst) => {
  const limiter = new RateLimiter({ perSecond, burst });
  return () => limiter.allow();
};

const oursGcra: MakeAllow = (perSecond, burst) => {
  const limiter = new GcraLimiter({ perSecond, burst });
  return () => limiter.allow();
};

const oursKeyed: MakeAllow = (perSecond, burst) => {
  const limiters = new KeyedLimiters(() => new GcraLimiter({ perSecond, burst }), { capacity: 10 });
  return () => limiters.get("key").allow();
};

interface LimiterModule {
  readonly RateLimiter: new (options: {
    readonly tokensPerInterval: number;
    readonly interval: number;
  }) => {
    tryRemoveTokens(count: number): boolean;
    removeTokens(count: number): Promise<number>;
  };
}

const limiterPackage: MakeAllow = async (perSecond, burst) => {
  const { RateLimiter: Limiter } = (await peer("limiter")) as LimiterModule;
  const limiter = new Limiter({ tokensPerInterval: burst, interval: (burst / perSecond) * 1000 });
  return () => limiter.tryRemoveTokens(1);
};

interface FlexibleModule {
  readonly RateLimiterMemory: new (options: {
    readonly points: number;
    readonly duration: number;
  }) => {
    consume(key: string): Promise<unknown>;
  };
}

/** Its windows are in memory, by key; it has no other call than one that promises. */
const flexible: MakeAllow = async (perSecond, burst) => {
  const { RateLimiterMemory } = (await peer("rate-limiter-flexible")) as FlexibleModule;
  // No timer of it may be longer than the host can wait.
  const duration = Math.min(Math.ceil(burst / perSecond), 1e6);
  const limiter = new RateLimiterMemory({ points: burst, duration });
  return () =>
    limiter.consume("key").then(
      () => true,
      () => false,
    );
};

/** A first draft: so many in each window. */
const naive: MakeAllow = (perSecond, burst) => {
  const windowMs = (burst / perSecond) * 1000;
  let startedMs = 0;
  let used = 0;
  return () => {
    const nowMs = Date.now();
    if (nowMs - startedMs >= windowMs) {
      startedMs = nowMs;
      used = 0;
    }
    return used++ < burst;
  };
};

/** What nobody can do without who goes by a clock that does not jump. */
const floor: MakeAllow = (_perSecond, burst) => {
  let used = 0;
  return () => performance.now() > 0 && used++ < burst;
};

async function verdicts(make: MakeAllow, perSecond: number, burst: number, count: number): Promise<void> {
  const allow = await make(perSecond, burst);
  let granted = 0;
  for (let n = 0; n < count; n++) {
    const verdict = allow();
    if (typeof verdict === "boolean" ? verdict : await verdict) granted++;
  }
  check(granted, Math.min(burst, count));
}

function verdictVariants(perSecond: number, burst: number, program: string): Record<string, Variant> {
  const variant = (who: NodeVariant["who"], idiom: string, make: MakeAllow): NodeVariant => ({
    who,
    idiom,
    setUp: () => (operations) => verdicts(make, perSecond, burst, operations),
  });
  return {
    ours: variant("ours", "try", ours),
    "ours, GCRA": variant("ours", "try", oursGcra),
    "ours, by key": variant("ours", "try, by key", oursKeyed),
    limiter: variant("peer", "try", limiterPackage),
    "rate-limiter-flexible": variant("peer", "plain await, by key", flexible),
    "counter of a window": variant("naive", "try", naive),
    "the clock": variant("floor", "try", floor),
    Go: { who: "go", program },
  };
}

const PER_SECOND = 1000;
/** So many at an instant: what is lost by a timer that fires late can be made up for. */
const BURST = 10;

/** Calls back as the rate allows, beginning with nothing to give. Rejects nothing. */
type Pace = (count: number, granted: () => void) => Promise<unknown>;

const oursPaced: Pace = (count, granted) => {
  const limiter = new RateLimiter({ perSecond: PER_SECOND, burst: BURST });
  check(limiter.allow(BURST), true);
  return Promise.all(Array.from({ length: count }, () => limiter.wait().then(granted)));
};

interface QueueModule {
  readonly default: new (options: {
    readonly interval: number;
    readonly intervalCap: number;
  }) => {
    add(job: () => void): Promise<void>;
  };
}

interface BottleneckModule {
  readonly default: new (options: {
    readonly minTime: number;
  }) => {
    schedule(job: () => Promise<void>): Promise<void>;
  };
}

const paced: Readonly<Record<string, () => Promise<Pace>>> = {
  limiter: async () => {
    const { RateLimiter: Limiter } = (await peer("limiter")) as LimiterModule;
    return (count, granted) => {
      const limiter = new Limiter({ tokensPerInterval: BURST, interval: (BURST / PER_SECOND) * 1000 });
      check(limiter.tryRemoveTokens(BURST), true);
      return Promise.all(Array.from({ length: count }, () => limiter.removeTokens(1).then(granted)));
    };
  },
  "p-queue": async () => {
    const { default: Queue } = (await peer("p-queue")) as QueueModule;
    return (count, granted) => {
      const queue = new Queue({ interval: (BURST / PER_SECOND) * 1000, intervalCap: BURST });
      return Promise.all(Array.from({ length: count }, () => queue.add(granted)));
    };
  },
  bottleneck: async () => {
    const { default: Bottleneck } = (await peer("bottleneck")) as BottleneckModule;
    return (count, granted) => {
      const queue = new Bottleneck({ minTime: 1000 / PER_SECOND });
      return Promise.all(Array.from({ length: count }, () => queue.schedule(async () => granted())));
    };
  },
};

/** A first draft: a timer a grant. */
const pacedNaively: Pace = async (count, granted) => {
  for (let n = 0; n < count; n++) {
    await new Promise((resolve) => setTimeout(resolve, 1000 / PER_SECOND));
    granted();
  }
};

/** The best that the host's timers can do: one as often as it can be, which grants all that is due. */
const pacedByTicks: Pace = async (count, granted) => {
  const startedMs = performance.now();
  for (let given = 0; given < count; ) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const due = Math.min(count, ((performance.now() - startedMs) * PER_SECOND) / 1000);
    for (; given < Math.floor(due); given++) granted();
  }
};

type Measure = (pace: Pace, count: number) => Promise<number>;

/** The 99th percentile of how far a grant is from the instant that it was due at, in milliseconds. */
const deviation: Measure = async (pace, count) => {
  const instants: number[] = [];
  const startedMs = performance.now();
  await pace(count, () => void instants.push(performance.now()));
  check(instants.length, count);
  return quantileOf(
    instants.map((instant, n) => Math.abs(instant - startedMs - ((n + 1) / PER_SECOND) * 1000)),
    0.99,
  );
};

/** How much of a processor that takes, in per cent. */
const processor: Measure = async (pace, count) => {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  let grants = 0;
  await pace(count, () => void grants++);
  check(grants, count);
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 10 / (performance.now() - startedMs);
};

function pacedVariants(measure: Measure): Record<string, NodeVariant> {
  const variant = (who: NodeVariant["who"], load: () => Pace | Promise<Pace>): NodeVariant => ({
    who,
    setUp: async (): Promise<Rounds> => {
      const pace = await load();
      return (operations) => measure(pace, operations);
    },
  });
  return {
    ours: variant("ours", () => oursPaced),
    ...Object.fromEntries(Object.entries(paced).map(([name, load]) => [name, variant("peer", load)])),
    "a timer each": variant("naive", () => pacedNaively),
    "a tick of the host": variant("floor", () => pacedByTicks),
  };
}

const perVerdict = [
  {
    of: "ours",
    versus: "limiter",
    atLeast: 1.2,
    note: "The clock alone takes as long as the package does: whether a token is due cannot be known without looking at it.",
  },
];
/** They last as long as the rate says. */
const long = { operations: { full: 2000, quick: 200 }, rounds: 3 };

export const rateLimiting: Subject = {
  name: "rate-limiting",
  title: "Rate limiter",
  cases: [
    {
      name: "granted",
      operation: "a token asked for and got",
      variants: verdictVariants(PLENTY, PLENTY, "rate-limiting-granted"),
      goals: perVerdict,
    },
    {
      name: "refused",
      operation: "a token asked for in vain",
      variants: verdictVariants(SCARCE.perSecond, SCARCE.burst, "rate-limiting-refused"),
      goals: perVerdict,
    },
    {
      name: "deviation",
      operation: `of the grants from the instants they are due at, 99th percentile, at ${PER_SECOND} a second`,
      unit: "ms",
      ...long,
      variants: pacedVariants(deviation),
      goals: [{ of: "ours", atMost: 15 }],
    },
    {
      name: "processor",
      operation: "how much of a processor that takes",
      unit: "%",
      ...long,
      variants: pacedVariants(processor),
      goals: [{ of: "ours", atMost: 10 }],
    },
  ],
};
