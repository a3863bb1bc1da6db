/** What keeps a process alive, and what does not: programs that leave things open, each in a process of its own. */
import { beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../support/build.ts";
import { runProgram } from "../support/command.ts";

/** A process that does not end by itself is killed after this; then it has no exit status. */
const LIMIT_MS = 20_000;

const IMPORTS = `
  import { EventLoop } from "concurrency-model-patterns/event-loop";
  import { LoopWatch } from "concurrency-model-patterns/event-loop/watch";
  import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
  import { LeakDetector } from "concurrency-model-patterns/resource-pooling/leak-detector";
  import { sleep } from "concurrency-model-patterns/timers";
`;

beforeAll(buildIfStale);

describe("a process ends by itself", () => {
  test.each([
    [
      "though a pool with idle resources is left open",
      `const pool = new ResourcePool({ create: () => 1, max: 2, idleTimeoutMs: 3_600_000, maxLifetimeMs: 3_600_000 });
       await Promise.all([pool.use(() => sleep(1)), pool.use(() => sleep(1))]);
       process.on("exit", () => console.log(pool.idle));`,
      "2\n",
    ],
    [
      "though a timer for idleness is longer than the host's",
      `const pool = new ResourcePool({ create: () => 1, max: 2, idleTimeoutMs: 2 ** 40 });
       await pool.use(() => {});
       process.on("exit", () => console.log(pool.idle));`,
      "1\n",
    ],
    [
      "though a leak detector watches a lease",
      `const leaks = new LeakDetector({ leakAfterMs: 3_600_000, onLeak: () => {} });
       const pool = new ResourcePool({ create: () => 1, max: 1, leaks });
       await pool.acquire();
       process.on("exit", () => console.log(leaks.size));`,
      "1\n",
    ],
    [
      "though a loop is watched whose handler never ends",
      `const watch = new LoopWatch({ slowMs: 3_600_000, onSlow: () => {} });
       const loop = new EventLoop({ observer: watch });
       loop.on("hang", () => { console.log("hangs"); return new Promise(() => {}); });
       void loop.run();
       await loop.post("hang", 0);
       await sleep(10);`,
      "hangs\n",
    ],
  ])("%s", async (_, program, stdout) => {
    expect(await runProgram(`${IMPORTS}${program}`, LIMIT_MS)).toEqual({ status: 0, stdout, stderr: "" });
  });

  test("and not before somebody has waited as long as a limit or a pause takes", async () => {
    const program = `${IMPORTS}
      const pool = new ResourcePool({ create: () => 1, max: 1, acquireTimeoutMs: 30, idleTimeoutMs: 10 });
      const lease = await pool.acquire();
      await pool.acquire().catch(({ code }) => console.log(code));
      lease.release();
      await sleep(30);
      console.log(pool.size);`;
    const end = await runProgram(program, LIMIT_MS);
    expect(end).toEqual({ status: 0, stdout: "TIMEOUT\n0\n", stderr: "" });
  });

  test("and not before the threads have ended of a pool that was cancelled while they loaded", async () => {
    const program = `
      import { threadPool } from "concurrency-model-patterns/threads";
      import { sleep } from "concurrency-model-patterns/timers";
      const pool = threadPool(new URL("data:text/javascript,export const work = (n) => n"), { workers: 2 });
      const call = pool.run("work", 1).catch(({ code }) => code);
      await sleep(0);
      // Meanwhile they say that they have loaded, which is heard only after they are told to end.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      pool.cancel();
      await pool.drain();
      console.log(await call, pool.size);`;
    const end = await runProgram(program, LIMIT_MS);
    expect(end).toEqual({ status: 0, stdout: "CANCELED 0\n", stderr: "" });
  });
});
