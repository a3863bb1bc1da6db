import {
  afterFunc,
  background,
  type CancelableContext,
  withCancel,
  withoutCancel,
  withTimeout,
} from "concurrency-model-patterns/context";
import * as fc from "fast-check";
import { Ends, type Model, pickAt, type Subject } from "./harness.ts";

/** `which` is a node of the tree, or a registration, counted round and round. */
export interface ContextCommand {
  readonly do: "child" | "detached" | "timeout" | "cancel" | "after" | "stop";
  readonly which: number;
  /** Whole milliseconds and a half, so that no deadline falls on the instant of a command. */
  readonly ms: number;
}

interface Node {
  readonly parent: Node | undefined;
  readonly dueMs: number;
  end: string;
}

interface Registration {
  readonly node: Node;
  state: "set" | "called" | "stopped";
}

class ContextModel extends Ends implements Model<ContextCommand> {
  readonly #nodes: Node[] = [{ parent: undefined, dueMs: Number.POSITIVE_INFINITY, end: "" }];
  readonly #registrations: Registration[] = [];
  #nowMs = 0;

  apply({ do: command, which, ms }: ContextCommand, id: number): void {
    const node = pickAt(this.#nodes, which) as Node;
    let said: unknown = "undefined";
    if (command === "cancel") this.#end(node, "canceled");
    else if (command === "after") this.#registrations.push({ node, state: "set" });
    else if (command === "stop") said = this.#stop(pickAt(this.#registrations, which));
    else {
      const parent = command === "detached" ? undefined : node;
      const dueMs = command === "timeout" ? this.#nowMs + ms : Number.POSITIVE_INFINITY;
      this.#nodes.push({ parent, dueMs, end: parent?.end ?? "" });
    }
    this.#call();
    this.end(id, said);
  }

  leave(): void {}

  override pass(): void {
    this.#nowMs++;
    const due = this.#nodes.filter(({ dueMs }) => dueMs < this.#nowMs);
    for (const node of due.toSorted((a, b) => a.dueMs - b.dueMs)) this.#end(node, "timeout");
    this.#call();
  }

  look(): unknown {
    return [this.#nodes.map(({ end }) => end), this.#registrations.map(({ state }) => state === "called")];
  }

  #end(node: Node, how: string): void {
    if (node.end !== "") return;
    node.end = how;
    for (const child of this.#nodes) if (child.parent === node) this.#end(child, how);
  }

  #call(): void {
    for (const one of this.#registrations)
      if (one.state === "set" && one.node.end !== "") one.state = "called";
  }

  #stop(one: Registration | undefined): boolean {
    if (one?.state !== "set") return false;
    one.state = "stopped";
    return true;
  }
}

export const contextSubject: Subject<null, ContextCommand> = {
  setup: fc.constant(null),
  command: fc.record({
    do: fc.constantFrom(
      "child",
      "child",
      "child",
      "detached",
      "timeout",
      "timeout",
      "cancel",
      "after",
      "stop",
    ),
    which: fc.nat(20),
    ms: fc.nat(20).map((ms) => ms + 0.5),
  }),
  model: () => new ContextModel(),
  real: () => {
    const nodes: CancelableContext[] = [withCancel(background)];
    const called: boolean[] = [];
    const stops: (() => boolean)[] = [];
    const register = (node: CancelableContext): void => {
      const index = called.push(false) - 1;
      stops.push(
        afterFunc(node.ctx, () => {
          if (called[index] === true) throw new Error("called twice");
          called[index] = true;
        }),
      );
    };
    return {
      apply({ do: command, which, ms }) {
        const node = pickAt(nodes, which) as CancelableContext;
        if (command === "cancel") return node.cancel();
        if (command === "after") return register(node);
        if (command === "stop") return pickAt(stops, which)?.() ?? false;
        if (command === "timeout") nodes.push(withTimeout(node.ctx, ms));
        else nodes.push(withCancel(command === "detached" ? withoutCancel(node.ctx) : node.ctx));
        return undefined;
      },
      look: () => [nodes.map(({ ctx }) => ctx.error?.code.toLowerCase() ?? ""), called],
      dispose: () => {
        for (const { cancel } of nodes) cancel();
      },
    };
  },
};
