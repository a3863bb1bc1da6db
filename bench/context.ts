/** Contexts: what it costs to make one and to end it, beside the Web's AbortController. */
import { background, type CancelableContext, withCancel } from "../src/sync/context.ts";
import { check, type NodeVariant, type Rounds, type Subject } from "./harness/subject.ts";

const node = (who: "ours" | "peer" | "floor", idiom: string, rounds: Rounds): NodeVariant => ({
  who,
  idiom,
  setUp: () => rounds,
});

function cancelContexts(contexts: number): void {
  let last: CancelableContext = withCancel(background);
  for (let n = 0; n < contexts; n++) {
    last = withCancel(background);
    last.cancel();
  }
  check(last.ctx.error?.code, "CANCELED");
}

/** For who hands the signal of each on, to `fetch` for instance. */
function cancelContextsWithSignals(contexts: number): void {
  let ended = 0;
  for (let n = 0; n < contexts; n++) {
    const { ctx, cancel } = withCancel(background);
    const { signal } = ctx;
    cancel();
    if (signal.aborted) ended++;
  }
  check(ended, contexts);
}

/** Aborts so many controllers; with no reason given, each makes an error of its own. */
const abortControllers =
  (...reason: readonly unknown[]): Rounds =>
  (controllers) => {
    let ended = 0;
    for (let n = 0; n < controllers; n++) {
      const controller = new AbortController();
      controller.abort(...reason);
      if (controller.signal.aborted) ended++;
    }
    check(ended, controllers);
  };

function abortAny(signals: number): void {
  let ended = 0;
  for (let n = 0; n < signals; n++) {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal]);
    controller.abort();
    if (signal.aborted) ended++;
  }
  check(ended, signals);
}

const TREE = 100_000;
/** Where listeners are searched one by one, a tree of 100,000 takes minutes. */
const SMALL_TREE = 1000;

function cancelTree(children: number): void {
  const root = withCancel(background);
  const all = Array.from({ length: children }, () => withCancel(root.ctx).ctx);
  root.cancel();
  let ended = 0;
  for (let n = 0; n < children; n += 100) if (all[n]?.error !== undefined) ended++;
  check(ended, Math.ceil(children / 100));
}

/** As many children as in one large tree, in small ones. */
const inSmallTrees =
  (childOf: (parent: AbortSignal) => AbortSignal): Rounds =>
  (children) => {
    let ended = 0;
    for (let left = children; left > 0; left -= SMALL_TREE) {
      const root = new AbortController();
      const all = Array.from({ length: SMALL_TREE }, () => childOf(root.signal));
      root.abort();
      for (const signal of all) if (signal.aborted) ended++;
    }
    check(ended, children);
  };

function listeningChild(parent: AbortSignal): AbortSignal {
  const controller = new AbortController();
  parent.addEventListener("abort", () => controller.abort(), { once: true });
  return controller.signal;
}

const SMALL = `trees of ${SMALL_TREE}`;

export const context: Subject = {
  name: "context",
  title: "Context",
  cases: [
    {
      name: "one",
      operation: "a context made and cancelled",
      variants: {
        ours: node("ours", "nobody asks for its signal", cancelContexts),
        "ours, with its signal": node("ours", "the signal is asked for", cancelContextsWithSignals),
        AbortController: node("peer", "abort()", abortControllers()),
        "AbortController, a reason": node("peer", "abort(reason)", abortControllers("over")),
        "AbortSignal.any": node("peer", "of one signal", abortAny),
        Go: { who: "go", program: "context-one" },
      },
      goals: [
        { of: "ours", versus: "AbortController", atLeast: 20 },
        { of: "ours", versus: "Go", atLeast: 1 },
      ],
    },
    {
      name: "a tree",
      operation: "a child made, and cancelled with its parent",
      operations: TREE,
      rounds: 7,
      variants: {
        ours: node("ours", `a tree of ${TREE}`, cancelTree),
        "AbortController, listeners": node("peer", SMALL, inSmallTrees(listeningChild)),
        "AbortSignal.any": node(
          "peer",
          SMALL,
          inSmallTrees((parent) => AbortSignal.any([parent])),
        ),
        Go: { who: "go", idiom: `a tree of ${TREE}`, program: "context-tree" },
      },
      goals: [{ of: "ours", versus: "Go", atLeast: 1 }],
    },
  ],
};
