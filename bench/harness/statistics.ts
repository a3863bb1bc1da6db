/** Of a handful of rounds. */

export function medianOf(values: readonly number[]): number {
  return quantileOf(values, 0.5);
}

/** Between two values it is a part of the way. */
export function quantileOf(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (sorted.length - 1) * part;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
