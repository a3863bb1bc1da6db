import { beforeAll, expect, test } from "vitest";
import { registry } from "../../examples/index.ts";
import { buildIfStale } from "../support/build.ts";
import { eventsOf, start } from "../support/command.ts";

beforeAll(buildIfStale);

test.each(registry.map(({ name }) => name))("%s can be interrupted midway", async (name) => {
  const { child, seen, finished } = start([`--${name}`, "--seed", "1", "--json"]);
  await seen('"k":"timer.set"');
  child.kill("SIGINT");
  const { status, stdout, stderr } = await finished;
  expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
  expect(eventsOf(stdout).filter((event) => event.how === "leaked")).toEqual([]);
});
