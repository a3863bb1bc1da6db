/** Hits, errors and the slowest answer of each route, of lines like `GET /home 200 12`: method, route, status, milliseconds. */
import type { Emit } from "concurrency-model-patterns/mapreduce";

interface Stats {
  readonly hits: number;
  readonly errors: number;
  readonly slowestMs: number;
}

export function map(text: string, emit: Emit<string, Stats>): void {
  const [method, route, status, ms] = text.split(" ");
  if (ms === undefined || !/^\d+$/u.test(ms)) throw new Error(`not a line of the log: ${text}`);
  emit(`${method} ${route}`, { hits: 1, errors: Number(status) >= 500 ? 1 : 0, slowestMs: Number(ms) });
}

export function combine(left: Stats, right: Stats): Stats {
  return {
    hits: left.hits + right.hits,
    errors: left.errors + right.errors,
    slowestMs: Math.max(left.slowestMs, right.slowestMs),
  };
}

export function reduce(_route: string, stats: readonly Stats[]): Stats {
  return stats.reduce(combine);
}

export function line(route: string, { hits, errors, slowestMs }: Stats): string {
  return `${route}\t${hits} hits\t${errors} errors\t${slowestMs} ms at most`;
}
