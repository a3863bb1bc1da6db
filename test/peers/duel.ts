/**
 * One known failure: the same program with a peer and with this library, and what is seen with each.
 *
 * The peers are not installed with the project, so their types are unknown here; each test says what it uses.
 */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { peer as load } from "../../bench/peers.ts";

/** What a program shows, as a value that can be compared and printed. */
export type Sight = string | number | boolean;

/** One side of a comparison. */
export interface Side {
  /** What is expected to be seen: of a peer, its failure. */
  readonly seen: Sight;
  readonly program: () => Promise<Sight>;
}

/** Imports a peer. The suite installs them first. */
export async function peer<T>(name: string): Promise<T> {
  return (await load(name)) as T;
}

/** A test that both sides show what they are expected to, and that this is not the same. */
export function theyFailWePass(what: string, name: string, they: Side, we: Side): void {
  test(`${what}: ${name} ${String(they.seen)}, here ${String(we.seen)}`, async () => {
    expect(they.seen).not.toBe(we.seen);
    expect(await they.program()).toBe(they.seen);
    expect(await we.program()).toBe(we.seen);
  });
}

/** Long enough for whatever is going to happen at all: nothing compared here waits for more than 20 ms. */
const PATIENCE_MS = 1000;

/** How a promise fares: `resolves`, `rejects`, or `never settles`. */
export async function fate(promise: PromiseLike<unknown>): Promise<string> {
  const settled = promise.then(
    () => "resolves",
    () => "rejects",
  );
  return Promise.race([settled, pause(PATIENCE_MS, "never settles")]);
}

export { pause };
