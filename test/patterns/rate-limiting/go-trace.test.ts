/** Replays what golang.org/x/time/rate 0.3.0 answered to random calls: times in milliseconds, as it gave them. */
import { readFileSync } from "node:fs";
import { RateLimiter, type Reservation } from "concurrency-model-patterns/rate-limiting";
import { expect, test } from "vitest";

const rows = readFileSync(new URL("go-trace.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");

/** Of `op at argument answer`, the answer of ours; undefined if it has none. `new` has the rate for an instant. */
class Replay {
  #limiter = new RateLimiter({ perSecond: 1, burst: 1 });
  #reservations: Reservation[] = [];

  answer(op: string, at: number, argument: number): string | number | undefined {
    switch (op) {
      case "new":
        this.#limiter = new RateLimiter({ perSecond: at, burst: argument });
        this.#reservations = [];
        return undefined;
      case "allow":
        return String(this.#limiter.allowAt(at, argument));
      case "reserve":
        return this.#reserve(at, argument);
      case "cancel":
        this.#reservations[argument]?.cancelAt(at);
        return undefined;
      case "limit":
        this.#limiter.setLimitAt(at, argument);
        return undefined;
      case "burst":
        this.#limiter.setBurstAt(at, argument);
        return undefined;
      default:
        throw new Error(`no such operation: ${op}`);
    }
  }

  tokens(at: number): number {
    return this.#limiter.tokensAt(at);
  }

  #reserve(at: number, argument: number): string | number {
    const reservation = this.#limiter.reserveAt(at, argument);
    this.#reservations.push(reservation);
    return reservation.ok ? reservation.timeToActMs : "refused";
  }
}

test("allow, reserve, cancel and both settings answer as in Go: tokens within 1e-6, instants within 1 us", () => {
  const replay = new Replay();
  for (const [index, row] of rows.entries()) {
    const [op = "", first, second, third] = row.split(" ");
    const where = `line ${index + 1}: ${row}`;
    if (op === "tokens") {
      expect(Math.abs(replay.tokens(Number(first)) - Number(second)), where).toBeLessThanOrEqual(1e-6);
      continue;
    }
    const answer = replay.answer(op, Number(first), Number(second));
    if (typeof answer === "number") expect(Math.abs(answer - Number(third)), where).toBeLessThanOrEqual(1e-3);
    else expect(answer, where).toBe(third);
  }
  expect(rows).toHaveLength(382);
});
