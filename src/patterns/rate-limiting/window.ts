/**
 * What limits by windows are told.
 */
import { requireInteger, requireNumber } from "../../core/arguments.ts";

/** How many, in what time. */
export interface RateWindowOptions {
  /** How many tokens can be had in a window: a whole number of at least 1. */
  readonly limit: number;
  /** How long a window is, in milliseconds: finite and at least 1. */
  readonly windowMs: number;
  /** A short name for reports and for the event log. */
  readonly name?: string | undefined;
}

export function requireWindow({ limit, windowMs }: RateWindowOptions): {
  readonly limit: number;
  readonly windowMs: number;
} {
  return {
    limit: requireInteger("limit", limit, 1),
    windowMs: requireNumber("windowMs", windowMs, 1),
  };
}

export function perSecondOf(limit: number, windowMs: number): number {
  return (limit / windowMs) * 1000;
}
