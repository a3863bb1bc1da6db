/** How much of the long form is done: all of it, or what `DEEP_SHARE` says. */
export const SHARE = Number(process.env["DEEP_SHARE"] ?? "1");

/** Seeds begin here: another `DEEP_SEED` is another run. */
export const SEED = Number(process.env["DEEP_SEED"] ?? "1");

export function share(whole: number): number {
  return Math.max(1, Math.ceil(whole * SHARE));
}

/** Prints at once, so that a long run can be watched. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
