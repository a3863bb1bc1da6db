/**
 * What a limiter says, as the headers of an HTTP response.
 */
import { refuseType, requireInteger, requirePositive } from "../../core/arguments.ts";
import type { LimitDecision } from "./limiter.ts";

/** What a limiter allows, as clients are told. */
export interface RateLimitPolicy {
  /** So many tokens in a window: at least 1. */
  readonly limit: number;
  /** How long the window is, in milliseconds: above 0. Headers count whole seconds: it is rounded up. */
  readonly windowMs: number;
  /** Tells several policies apart: printable ASCII; default `default`. */
  readonly name?: string | undefined;
}

/** The largest integer that a structured field can hold. */
const LARGEST = 999_999_999_999_999;

/**
 * Makes the headers of a response of what a limiter says: `RateLimit-Policy`, `RateLimit`, and `Retry-After` if the
 * request was refused.
 *
 * **Guarantees** Seconds are whole and rounded up: who waits that long does not come too early. What is infinite is left out.
 * **Errors** `RangeError` or `TypeError` for a policy that cannot be written down.
 * **Cost** O(1). It takes nothing from the limiter.
 * **Source** The IETF draft "RateLimit header fields for HTTP" in its structured form, which may still change; RFC 9110 for
 * `Retry-After`.
 *
 * @example
 * const decision = { ok: false, remaining: 0, retryAfterMs: 800, resetAfterMs: 1800 }; // as `limiter.check()` gives it
 * const headers = rateLimitHeaders(decision, { limit: 2, windowMs: 2000 });
 * headers["RateLimit-Policy"]; //=> '"default";q=2;w=2'
 * headers["RateLimit"]; //=> '"default";r=0;t=2'
 * headers["Retry-After"]; //=> "1"
 */
export function rateLimitHeaders(decision: LimitDecision, policy: RateLimitPolicy): Record<string, string> {
  const { name = "default", windowMs } = policy;
  const limit = requireInteger("limit", policy.limit, 1, LARGEST);
  if (requirePositive("windowMs", windowMs) === Number.POSITIVE_INFINITY) {
    throw new RangeError("windowMs must be a finite number, got Infinity");
  }
  if (typeof name !== "string" || !/^[ -~]*$/.test(name)) refuseType("name", "printable ASCII", name);
  const { ok, remaining, retryAfterMs, resetAfterMs } = decision;
  const id = `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  const reset = Number.isFinite(resetAfterMs) ? `;t=${seconds(resetAfterMs)}` : "";
  const headers: Record<string, string> = {
    "RateLimit-Policy": `${id};q=${limit};w=${seconds(windowMs)}`,
    RateLimit: `${id};r=${Math.min(Math.floor(remaining), LARGEST)}${reset}`,
  };
  if (!ok && Number.isFinite(retryAfterMs)) headers["Retry-After"] = `${Math.max(1, seconds(retryAfterMs))}`;
  return headers;
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
