/**
 * The streams of the host, read so that they let go also while they are silent. Their own iterators do not: a `return`
 * waits there until the read that is under way has ended, and from a silent socket that is never.
 */

/** What is used of a Web stream. */
interface WebStream<T> {
  getReader(): WebReader<T>;
}

interface WebReader<T> {
  read(): Promise<IteratorResult<T>>;
  cancel(): Promise<void>;
  releaseLock(): void;
}

/** What is used of a readable stream of Node. */
interface NodeStream<T> extends AsyncIterable<T> {
  destroy(): unknown;
  pipe(): unknown;
}

/** An iterator whose `return` ends a read that is under way; undefined if the source is no stream of the host. */
export function iterateHostStream<T>(source: object): AsyncIterator<T, undefined> | undefined {
  if (has(source, "getReader")) return iterateWeb((source as WebStream<T>).getReader());
  if (has(source, "destroy") && has(source, "pipe")) return iterateNode(source as NodeStream<T>);
  return undefined;
}

function has(source: object, method: string): boolean {
  return typeof (source as Record<string, unknown>)[method] === "function";
}

const over = { value: undefined, done: true } as const;

function iterateWeb<T>(reader: WebReader<T>): AsyncIterator<T, undefined> {
  return {
    async next() {
      const next = await reader.read();
      if (next.done !== true) return next;
      reader.releaseLock();
      return over;
    },
    async return() {
      await reader.cancel();
      reader.releaseLock();
      return over;
    },
  };
}

function iterateNode<T>(stream: NodeStream<T>): AsyncIterator<T, undefined> {
  const iterator = stream[Symbol.asyncIterator]();
  let state: "open" | "left" = "open";
  return {
    async next() {
      try {
        const next = await iterator.next();
        return next.done === true ? over : next;
      } catch (error) {
        if (state === "left" && isPrematureClose(error)) return over;
        throw error;
      }
    },
    async return() {
      state = "left";
      stream.destroy();
      await iterator.return?.();
      return over;
    },
  };
}

/** What a read of a stream that was destroyed without an error fails with. */
function isPrematureClose(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "ERR_STREAM_PREMATURE_CLOSE";
}
