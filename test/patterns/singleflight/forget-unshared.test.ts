import { SingleFlight } from "concurrency-model-patterns/singleflight";
import { sleep } from "concurrency-model-patterns/timers";
import { describe, expect } from "vitest";
import { inBothRuntimes, settle } from "../../support/both-runtimes.ts";
import { failureOf } from "../../support/outcomes.ts";

const slowly = (value: string) => () => sleep(10).then(() => value);

describe("SingleFlight.forgetUnshared", () => {
  inBothRuntimes(
    "forgets a flight for which one caller waits, and leaves alone one that is shared",
    async () => {
      const flights = new SingleFlight<string, string>();
      expect(flights.forgetUnshared("key")).toBe(true);
      const alone = flights.do("key", slowly("alone"));
      await settle();
      expect(flights.forgetUnshared("key")).toBe(true);
      const fresh = flights.do("key", slowly("fresh"));
      await settle();
      const joined = flights.do("key", slowly("never"));
      await settle();
      expect(flights.forgetUnshared("key")).toBe(false);
      expect(await alone).toEqual({ value: "alone", shared: false, callers: 1, role: "leader" });
      for (const [call, role] of [
        [fresh, "leader"],
        [joined, "follower"],
      ] as const) {
        expect(await call).toEqual({ value: "fresh", shared: true, callers: 2, role });
      }
    },
    40,
  );

  inBothRuntimes(
    "counts those who wait now; who has left still counts among the callers",
    async () => {
      const flights = new SingleFlight<string, string>();
      const controller = new AbortController();
      const stays = flights.do("key", slowly("value"));
      await settle();
      const leaves = failureOf(flights.do("key", slowly("never"), controller));
      await settle();
      expect(flights.forgetUnshared("key")).toBe(false);
      controller.abort();
      await leaves;
      expect(flights.forgetUnshared("key")).toBe(true);
      expect(await stays).toMatchObject({ shared: true, callers: 2 });
    },
    40,
  );
});
