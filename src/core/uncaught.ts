/**
 * Where an error goes that no caller is left to hear: to the host, as an uncaught exception. Never nowhere.
 */
export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
