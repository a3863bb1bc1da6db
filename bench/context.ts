/** Contexts: what it costs to be able to give something up. */
import { background, type CancelableContext, withCancel } from "../src/sync/context.ts";
import { check, type NodeVariant, type Rounds, type Subject, type Who } from "./harness/subject.ts";

const CHILDREN = 100_000;
/** A signal looks through all of its listeners for each that it is given: it bears no more. */
const FEW = 5_000;

function makeAndCancel(times: number): void {
  let last: CancelableContext | undefined;
  for (let n = 0; n < times; n++) {
    last = withCancel(background);
    last.cancel();
  }
  check(last?.ctx.error?.message, "context canceled");
}

function makeCancelAndAsk(times: number): void {
  let ended = 0;
  for (let n = 0; n < times; n++) {
    const { ctx, cancel } = withCancel(background);
    cancel();
    if (ctx.error !== undefined) ended++;
  }
  check(ended, times);
}

const makeAndAbort =
  (reason?: Error): Rounds =>
  (times) => {
    let ended = 0;
    for (let n = 0; n < times; n++) {
      const controller = new AbortController();
      controller.abort(reason);
      if (controller.signal.aborted) ended++;
    }
    check(ended, times);
  };

function abortOneOfAny(times: number): void {
  const never = new AbortController().signal;
  let ended = 0;
  for (let n = 0; n < times; n++) {
    const controller = new AbortController();
    const either = AbortSignal.any([never, controller.signal]);
    controller.abort();
    if (either.aborted) ended++;
  }
  check(ended, times);
}

/** A first draft: a flag, and whom to tell. */
class Token {
  ended = false;
  readonly #told: (() => void)[] = [];

  cancel(): void {
    if (this.ended) return;
    this.ended = true;
    for (const tell of this.#told) tell();
  }

  child(): Token {
    const child = new Token();
    this.#told.push(() => child.cancel());
    return child;
  }
}

function makeTokens(times: number): void {
  let ended = 0;
  for (let n = 0; n < times; n++) {
    const token = new Token();
    token.cancel();
    if (token.ended) ended++;
  }
  check(ended, times);
}

function setFlags(times: number): void {
  const flags: { ended: boolean }[] = [];
  for (let n = 0; n < times; n++) flags[n % 64] = { ended: n >= 0 };
  check(flags.at(-1)?.ended, true);
}

interface Root<Child> {
  child(): Child;
  cancel(): void;
  hasEnded(child: Child): boolean;
}

/** One tree, made and cancelled. What it took for each child is the figure, as not all bear the same number. */
function grow<Child>(children: number, makeRoot: () => Root<Child>): Rounds {
  return () => {
    const started = process.hrtime.bigint();
    const root = makeRoot();
    const all = Array.from({ length: children }, () => root.child());
    root.cancel();
    const tookNs = Number(process.hrtime.bigint() - started);
    const seen = [0, all.length >> 1, all.length - 1].map((index) => all[index] as Child);
    check(seen.filter((child) => root.hasEnded(child)).length, 3);
    return tookNs / children;
  };
}

const contexts = (): Root<CancelableContext> => {
  const root = withCancel(background);
  return {
    child: () => withCancel(root.ctx),
    cancel: () => root.cancel(),
    hasEnded: ({ ctx }) => ctx.error !== undefined,
  };
};

const tokens = (): Root<Token> => {
  const root = new Token();
  return { child: () => root.child(), cancel: () => root.cancel(), hasEnded: ({ ended }) => ended };
};

/** An object each, and a loop over them. */
const objects = (): Root<{ ended: boolean }> => {
  const all: { ended: boolean }[] = [];
  return {
    child: () => {
      const child = { ended: false };
      all.push(child);
      return child;
    },
    cancel: () => {
      for (const child of all) child.ended = true;
    },
    hasEnded: ({ ended }) => ended,
  };
};

const listeners = (): Root<AbortSignal> => {
  const root = new AbortController();
  const child = (): AbortSignal => {
    const controller = new AbortController();
    root.signal.addEventListener("abort", () => controller.abort(root.signal.reason), { once: true });
    return controller.signal;
  };
  return { child, cancel: () => root.abort(), hasEnded: ({ aborted }) => aborted };
};

const signals = (): Root<AbortSignal> => {
  const root = new AbortController();
  return {
    child: () => AbortSignal.any([root.signal]),
    cancel: () => root.abort(),
    hasEnded: ({ aborted }) => aborted,
  };
};

const by = (who: Exclude<Who, "go">, work: Rounds, idiom?: string): NodeVariant => ({
  who,
  idiom,
  setUp: () => {
    // The platform warns of many listeners; here they are meant.
    process.removeAllListeners("warning");
    return work;
  },
});

const TREE =
  "All children live at once and are copied as they become old: four fifths of the time is the collection of garbage. Mere " +
  "objects with a flag take Go's time. A child takes 206 bytes: its place in the list of its parent, the context that is " +
  "handed out, and the function that cancels it. Merged into one object, it would show its list to whoever holds it.";

export const context: Subject = {
  name: "context",
  title: "Context",
  cases: [
    {
      name: "create and cancel",
      operation: "a context made and cancelled",
      variants: {
        ours: by("ours", makeAndCancel),
        "ours, its error read": by("ours", makeCancelAndAsk, "makes the error"),
        AbortController: by("peer", makeAndAbort(), "makes the error"),
        "AbortController, error given": by("peer", makeAndAbort(new Error("given"))),
        "AbortSignal.any": by("peer", abortOneOfAny, "with one that lives on"),
        "a token": by("naive", makeTokens),
        "an object": by("floor", setFlags),
        Go: { who: "go", program: "context" },
      },
      goals: [{ of: "ours", versus: "AbortController", atLeast: 20 }],
    },
    {
      name: "tree",
      operation: `a child of one root, all made and then cancelled by it; ${CHILDREN} of them, if no other number is said`,
      operations: CHILDREN,
      variants: {
        ours: by("ours", grow(CHILDREN, contexts)),
        [`AbortController and listeners, ${FEW}`]: by("peer", grow(FEW, listeners)),
        [`AbortSignal.any, ${FEW}`]: by("peer", grow(FEW, signals)),
        tokens: by("naive", grow(CHILDREN, tokens)),
        objects: by("floor", grow(CHILDREN, objects)),
        Go: { who: "go", program: "context-tree" },
      },
      goals: [
        { of: "ours", versus: "Go", atLeast: 1, note: TREE },
        { of: "ours", versus: `AbortController and listeners, ${FEW}`, atLeast: 20, note: TREE },
      ],
    },
  ],
};
