import { AsyncLocalStorage } from "node:async_hooks";
import { type Pipeline, pipeline } from "concurrency-model-patterns/pipeline";
import { expect } from "vitest";
import { inBothRuntimes } from "../../support/both-runtimes.ts";

const storage = new AsyncLocalStorage<string>();

/** A stage that says in whose context it runs, added in the context `name`. */
const added = (name: string, before: Pipeline<string>): Pipeline<string> =>
  storage.run(name, () => before.map(async (text) => `${text} ${name} in ${storage.getStore()},`));

inBothRuntimes("each stage of a pipeline runs in the async context of whoever added it", async () => {
  const begun = storage.run("source", () =>
    pipeline(function* () {
      yield `source in ${storage.getStore()},`;
    }),
  );
  const staged = storage.run("last", () =>
    added("second", added("first", begun)).through(async function* (texts) {
      for await (const text of texts) yield `${text} last in ${storage.getStore()}`;
    }),
  );
  expect(await storage.run("reader", () => staged.toArray())).toEqual([
    "source in source, first in first, second in second, last in last",
  ]);
});
