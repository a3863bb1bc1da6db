/** How a promise ended, as a value that a test can compare. */
export type Ended = { readonly value: unknown } | { readonly error: unknown };

/** Waits for the end, whichever it is. */
export async function ended(promise: PromiseLike<unknown>): Promise<Ended> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

/** The value of an end, or its error thrown. */
export function endedValue(end: Ended): unknown {
  if ("value" in end) return end.value;
  throw end.error;
}

/** What a call throws, or a promise rejects with. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  const end = await ended(promise);
  if ("value" in end) throw new Error("it was expected to fail");
  return end.error;
}

/** What a call throws before it returns. */
export function thrownBy(call: () => unknown): unknown {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(() => {});
  } catch (error) {
    return error;
  }
  return undefined;
}
