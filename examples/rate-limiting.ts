/** Rate limiting: requests spaced evenly, then a burst of requests against a bucket of tokens. */
import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

const FIXED_REQUESTS = 6;
const TOKEN_REQUESTS = 10;

export const demo = defineDemo({
  title: "Rate Limiting Pattern",
  about: [
    "First, requests wait for their turn, so that they go out evenly spaced.",
    "Then ten requests come at once to a bucket of tokens: as many as it holds",
    "are granted, the others are denied and do not wait.",
  ],
  tryThis: ["cmp-pattern --rate-limiting --rate 10", "cmp-pattern --rate-limiting --burst 8"],
  parameters: {
    rate: whole("requests a second in the first part", 2, 1, 1000),
    tokenRate: whole("tokens a second in the second part", 3, 1, 1000),
    burst: whole("how many tokens the bucket holds", 5, 1, 1000),
  },

  async run({ params, ctx, print, timeOfDay }) {
    const { rate, tokenRate, burst } = params;

    print();
    print(`1. Fixed rate limiting (${rate} requests per second):`);
    const pacer = new RateLimiter({ name: "fixed rate", perSecond: rate, burst: 1 });
    for (let request = 1; request <= FIXED_REQUESTS; request++) {
      await pacer.wait(1, ctx);
      print(`Request ${request} processed at ${timeOfDay()}`);
    }

    print();
    print(`2. Token bucket rate limiting (${tokenRate} tokens per second, burst of ${burst}):`);
    const bucket = new RateLimiter({ name: "token bucket", perSecond: tokenRate, burst });
    const requests = new TaskGroup({ name: "request", signal: ctx.signal });
    for (let request = 1; request <= TOKEN_REQUESTS; request++) {
      requests.go(() => {
        const verdict = bucket.allow() ? "granted" : "denied";
        print(`Token request ${request} ${verdict} at ${timeOfDay()}`);
      });
    }
    await requests.wait();

    print();
    print("Rate Limiting example completed!");
  },
});
