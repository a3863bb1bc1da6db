/**
 * The registry of demos: flags, usage, help and `--all` come from here. Nothing is loaded before it is needed.
 */
import type { Demo } from "./demo.ts";
import type { InputDemo } from "./input-demo.ts";
import type { ParameterTable } from "./parameters.ts";

type Load<T extends ParameterTable> = () => Promise<{ readonly demo: Demo<T> }>;
type LoadInput<T extends ParameterTable> = () => Promise<{ readonly inputDemo: InputDemo<T> }>;

/** An entry of the registry. */
export interface Entry {
  /** The pattern: the flag, the subpath of the library, and the name of its files. */
  readonly name: string;
  /** What the usage says. */
  readonly summary: string;
  readonly load: Load<ParameterTable>;
  /** The same pattern on real input, where there is such a thing. */
  readonly loadInput: LoadInput<ParameterTable> | undefined;
}

function entry<T extends ParameterTable, I extends ParameterTable>(
  name: string,
  words: string,
  load: Load<T>,
  loadInput?: LoadInput<I>,
): Entry {
  return { name, summary: `Run ${words} pattern example`, load, loadInput };
}

/** In the order of the usage. */
export const registry: readonly Entry[] = [
  entry(
    "pipeline",
    "pipeline",
    () => import("./pipeline.ts"),
    () => import("./number-pipeline.ts"),
  ),
  entry(
    "fan",
    "fan-out/fan-in",
    () => import("./fan.ts"),
    () => import("./checksum.ts"),
  ),
  entry(
    "pools",
    "worker pools",
    () => import("./pools.ts"),
    () => import("./gzip.ts"),
  ),
  entry("producer-consumer", "producer-consumer", () => import("./producer-consumer.ts")),
  entry("supervisor", "supervisor/restart", () => import("./supervisor.ts")),
  entry("pubsub", "publish-subscribe (pub/sub)", () => import("./pubsub.ts")),
  entry("timeout-cancellation", "timeouts and cancellation", () => import("./timeout-cancellation.ts")),
  entry("rate-limiting", "rate limiting", () => import("./rate-limiting.ts")),
  entry(
    "mapreduce",
    "MapReduce",
    () => import("./mapreduce.ts"),
    () => import("./word-count.ts"),
  ),
  entry("singleflight", "singleflight (spaceflight)", () => import("./singleflight.ts")),
  entry("event-loop", "event loop", () => import("./event-loop.ts")),
  entry("resource-pooling", "resource pooling", () => import("./resource-pooling.ts")),
];
