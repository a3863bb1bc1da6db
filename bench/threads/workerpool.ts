/** Its threads begin with a file that registers the functions. */
import { peer } from "../peers.ts";
import { busy, next, tiny } from "./jobs.ts";

const { default: workerpool } = (await peer("workerpool")) as {
  readonly default: { worker(functions: Readonly<Record<string, unknown>>): void };
};

workerpool.worker({ tiny, next, busy });
