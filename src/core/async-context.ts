/**
 * Calls back in the async context (AsyncLocalStorage) of whoever handed the callback over, on any host.
 *
 * A promise's reaction runs in the context in which it was registered; so no host API is needed.
 */

/**
 * Registers `call` now; the function returned lets it run, in a microtask, once. What `call` throws becomes an
 * uncaught exception of the host.
 */
export function inThisContext(call: () => void): () => void {
  const gate = newGate();
  void callWhen(gate.opened, call);
  return gate.open;
}

async function callWhen(opened: Promise<void>, call: () => void): Promise<void> {
  await opened;
  call();
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function newGate(): Gate {
  let resolver: (() => void) | undefined;
  const opened = new Promise<void>((resolve) => {
    resolver = resolve;
  });
  return { opened, open: () => resolver?.() };
}
