/**
 * Runs after every test of the suite: fails the test that has left something behind in the host. What a test leaves, the
 * next one would have to suffer; and what the library leaves, every program that uses it.
 */
import { afterEach, beforeEach } from "vitest";
import { forgetLeftovers, leftovers } from "./leftovers.ts";

beforeEach(() => forgetLeftovers());

afterEach(async () => {
  const left = await leftovers();
  if (left.length > 0) throw new Error(`the test has left behind:\n${left.join("\n")}`);
});
