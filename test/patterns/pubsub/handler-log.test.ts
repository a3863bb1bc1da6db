/** What a log keeps; what its readers see of it is in `handlers.test.ts`. */
import { expect, test } from "vitest";
import { currentRuntime } from "../../../src/core/runtime.ts";
import { HandlerLog } from "../../../src/patterns/pubsub/handler-log.ts";
import { settle } from "../../support/both-runtimes.ts";

test("a log keeps no more than twice what has yet to be read, and a little", async () => {
  const log = new HandlerLog(currentRuntime(), () => {});
  const [quick, slow]: [unknown[], unknown[]] = [[], []];
  const onError = (error: unknown): never => {
    throw error;
  };
  // The second always has something left, so that they never rest both.
  const readers = [
    log.add(100_000, { handler: (message) => void quick.push(message), onError }, {}),
    log.add(100_000, { handler: async (message) => void slow.push(message), onError }, {}),
  ];
  const listening = readers.map((reader) => reader.listen());
  let most = 0;
  for (let n = 0; n < 20_000; n++) {
    log.offer(n, "news");
    while (n - slow.length > 5) await Promise.resolve();
    const unread = n + 1 - Math.min(quick.length, slow.length);
    most = Math.max(most, log.messages.length - 2 * unread);
  }
  expect(slow.length).toBeLessThan(20_000);
  expect(most).toBeLessThan(100);
  await settle();
  expect(slow).toEqual(quick);
  expect(log.messages).toEqual([]);
  log.finish();
  await Promise.all(listening);
});
