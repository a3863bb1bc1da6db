/**
 * How much is done by a call, counted and not timed: how often each block of the library's code is run, as V8 counts for
 * coverage, and how many elements the array methods go through that are not code of ours.
 */
import { type Profiler, Session } from "node:inspector";

const LINEAR = [
  "indexOf",
  "includes",
  "splice",
  "shift",
  "unshift",
  "slice",
  "filter",
  "find",
  "findIndex",
] as const;

/** Counts what is done in a call. */
type Count = (call: () => void) => number;

/**
 * Counts what the sources of the library do. To begin and to end takes V8 a while, so it is done once for many calls;
 * but it loses count of what has run so often that it is compiled anew.
 */
export function countingOperations(program: (count: Count) => void): void {
  const session = new Session();
  session.connect();
  try {
    session.post("Profiler.enable");
    session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    program((call) => {
      blocksSince(session);
      const elements = elementsVisited(call);
      return elements + blocksSince(session);
    });
  } finally {
    session.disconnect();
  }
}

/** How many blocks were run since this was last asked. A session within its own process answers at once. */
function blocksSince(session: Session): number {
  let blocks = Number.NaN;
  session.post("Profiler.takePreciseCoverage", (_, { result }) => {
    blocks = blocksRun(result);
  });
  return blocks;
}

function blocksRun(scripts: readonly Profiler.ScriptCoverage[]): number {
  const ours = scripts.filter(({ url }) => url.includes("/src/"));
  const ranges = ours.flatMap(({ functions }) => functions.flatMap((each) => each.ranges));
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

function elementsVisited(call: () => void): number {
  const methods = Array.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const before = LINEAR.map((name) => [name, methods[name]] as const);
  let visited = 0;
  for (const [name, method] of before) {
    methods[name] = function counted(this: unknown[], ...args: unknown[]): unknown {
      visited += this.length;
      return method?.apply(this, args);
    };
  }
  try {
    call();
  } finally {
    Object.assign(methods, Object.fromEntries(before));
  }
  return visited;
}
