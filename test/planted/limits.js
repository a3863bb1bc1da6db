/** Bugs in timeouts, in what surrounds a call that may fail, and in rate limiting. See `scripts/test-planted.mjs`. */
export const limits = [
  // timeouts, and what surrounds a call that may fail
  [
    "a task that ends within its grace leaves the timer of it",
    "patterns/timeout-cancellation.ts",
    "this.#grace?.cancel();",
    "",
  ],
  [
    "nobody gets what comes late",
    "patterns/timeout-cancellation.ts",
    "if (!asTold) this.#tellLate(outcome);",
    "",
  ],
  [
    "a retry makes one attempt too many",
    "patterns/timeout-cancellation/retry.ts",
    "attempt >= this.#attempts",
    "attempt > this.#attempts",
  ],
  [
    "a budget saves up more retries than it may",
    "patterns/timeout-cancellation/retry-budget.ts",
    "Math.min(this.#capacity, this.#balance + this.#share)",
    "this.#balance + this.#share",
  ],
  [
    "a task that fails keeps its place in the bulkhead",
    "patterns/timeout-cancellation/bulkhead.ts",
    "return await task(ctx);\n    } finally {\n      this.#leave();\n    }",
    "const value = await task(ctx);\n      this.#leave();\n      return value;\n    } finally {\n    }",
  ],
  [
    "a bulkhead lets one call too many wait",
    "patterns/timeout-cancellation/bulkhead.ts",
    "this.#queue.size >= this.#capacity",
    "this.#queue.size > this.#capacity",
  ],
  [
    "everybody may probe a circuit that is half open",
    "patterns/timeout-cancellation/circuit.ts",
    '{ state: "half-open", untilMs: nowMs + rules.openMs }',
    '{ state: "half-open", untilMs: nowMs }',
  ],
  [
    "a success does not end a row of failures",
    "patterns/timeout-cancellation/circuit.ts",
    "failed ? circuit.consecutive + 1 : 0",
    "failed ? circuit.consecutive + 1 : circuit.consecutive",
  ],
  [
    "the losers of a contest go on",
    "patterns/timeout-cancellation/contest.ts",
    'this.#group.cancel(new CanceledError("no longer needed"));',
    "",
  ],
  [
    "a value that nobody uses is nobody's to close",
    "patterns/timeout-cancellation/contest.ts",
    "      else this.#tellUnused(outcome, index);\n",
    "",
  ],
  [
    "an attempt that fails is not followed by the next at once",
    "patterns/timeout-cancellation/hedge.ts",
    "if (!outcome.ok) failures.trySend();",
    "",
  ],
  [
    "a hedge makes one attempt fewer than it may",
    "patterns/timeout-cancellation/hedge.ts",
    "attempt <= attempts",
    "attempt < attempts",
  ],
  [
    "a slow reader makes the source pass for silent",
    "patterns/timeout-cancellation/idle-timeout.ts",
    "      timer.cancel();\n      await out.send",
    "      await out.send",
  ],
  // rate limiting
  [
    "a reservation that was used can be given back",
    "patterns/rate-limiting/bucket.ts",
    "tokens === 0 || dueMs < nowMs ||",
    "tokens === 0 ||",
  ],
  [
    "a clock that goes back takes tokens away",
    "patterns/rate-limiting/bucket.ts",
    "Math.max(0, nowMs - this.#lastMs)",
    "nowMs - this.#lastMs",
  ],
  [
    "the tokens of one who gave up are still kept for them",
    "patterns/rate-limiting.ts",
    "if (waiter.place === undefined) this.#wanted -= waiter.tokens;",
    "",
  ],
  [
    "those behind one who gave up wait as long as that one would have",
    "patterns/rate-limiting.ts",
    "if (this.#timer === undefined || this.#timer.first === waiter) this.#serve();",
    "",
  ],
  [
    "one who gave up stands on in the other lines",
    "patterns/rate-limiting/line.ts",
    "for (const stand of this.#stands) stand.queue?.remove(stand);",
    "this.#stands[0]?.queue?.remove(this.#stands[0]);",
  ],
  [
    "time without calls is saved up without bound",
    "patterns/rate-limiting/gcra.ts",
    "Math.max(nowMs, this.#fullMs) + tokens",
    "this.#fullMs + tokens",
  ],
  [
    "the counts of a window are reckoned with for ever",
    "patterns/rate-limiting/sliding-counter.ts",
    "this.#previous = next ? this.#current : 0;",
    "this.#previous = this.#current;",
  ],
  [
    "the limiter of a key is forgotten although somebody waits for it",
    "patterns/rate-limiting/keyed.ts",
    "limiter.waiting > 0 ? nowMs : askedMs",
    "askedMs",
  ],
];
