/** The check that runs after every test can fail: each of these tests leaves something, and must fail because of it. */
// oxlint-disable vitest/expect-expect -- the assertion is that the check after each test fails it
import { describe, expect, test } from "vitest";
import { leftovers } from "./leftovers.ts";

const set: { timer?: ReturnType<typeof setTimeout> } = {};

describe("a test fails that leaves", () => {
  test.fails("a timer", () => {
    set.timer = setTimeout(() => {}, 1e6);
  });

  test.fails("an interval", () => {
    clearTimeout(set.timer);
    set.timer = setInterval(() => {}, 1e6);
  });

  test.fails("a listener for the abort of a signal", () => {
    clearInterval(set.timer);
    new AbortController().signal.addEventListener("abort", () => {});
  });

  test.fails("a rejection that nobody handles", async () => {
    // The runner has a listener of its own, which would fail the whole run.
    const ours = process
      .listeners("unhandledRejection")
      .filter((listener) => listener.name === "noteRejection");
    const all = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    for (const listener of ours) process.on("unhandledRejection", listener);
    void Promise.reject(new Error("lost"));
    await leftovers();
    process.removeAllListeners("unhandledRejection");
    for (const listener of all) process.on("unhandledRejection", listener);
  });
});

describe("a test passes", () => {
  test("that puts away what it has set, or lets it end", async () => {
    const controller = new AbortController();
    const listen = (): void => {};
    controller.signal.addEventListener("abort", listen);
    const timer = setTimeout(listen, 1e6);
    const ticker = setInterval(listen, 1e6);
    await new Promise<void>((resolve) => void setTimeout(resolve, 1));
    expect(await leftovers()).toHaveLength(3);
    controller.signal.removeEventListener("abort", listen);
    clearTimeout(timer);
    clearInterval(ticker);
    setImmediate(listen);
  });
});
