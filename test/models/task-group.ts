import { Channel } from "concurrency-model-patterns/channel";
import { TaskGroup, type TaskHandle } from "concurrency-model-patterns/task-group";
import * as fc from "fast-check";
import { Ends, type Model, pickAt, type Subject } from "./harness.ts";

/** A task runs until it is finished, or its context ends. `which` is a task, counted round and round. */
export interface TaskCommand {
  readonly do: "go" | "tryGo" | "finish" | "fail" | "cancelTask" | "cancel" | "join";
  readonly which: number;
}

interface Setup {
  readonly concurrency: number;
  readonly capacity: number;
  readonly errors: "fail-fast" | "collect";
}

class TaskModel extends Ends implements Model<TaskCommand> {
  readonly #setup: Setup;
  readonly #tasks: number[] = [];
  readonly #outcomes = new Map<number, string>();
  #running: number[] = [];
  #queue: number[] = [];
  #joins: (readonly [id: number, task: number])[] = [];
  #errors = 0;
  /** What tasks end with once the group has been cancelled. */
  #cause = "";

  constructor(setup: Setup) {
    super();
    this.#setup = setup;
  }

  apply({ do: command, which }: TaskCommand, id: number): void {
    if (command === "go" || command === "tryGo") return this.#go(id, command === "tryGo");
    const task = pickAt(this.#tasks, which);
    if (command === "join") {
      if (task === undefined) return this.end(id, "none");
      this.#joins.push([id, task]);
      return this.#tell();
    }
    const running = pickAt(
      this.#running.toSorted((a, b) => a - b),
      which,
    );
    if (command === "cancel") this.#cancelAll("canceled");
    else if (command === "cancelTask" && task !== undefined) this.#over(task, "canceled");
    else if (command === "finish" && running !== undefined) this.#over(running, "done");
    else if (command === "fail" && running !== undefined) this.#fail(running);
    this.end(id, "undefined");
    this.#tell();
  }

  leave(id: number): void {
    this.#joins = this.#joins.filter(([join]) => join !== id);
  }

  look(): unknown {
    return [this.#running.length, this.#queue.length, this.#errors];
  }

  #go(id: number, now: boolean): void {
    const free = this.#running.length < this.#setup.concurrency;
    if (!free && now) return this.end(id, "none");
    if (!free && this.#queue.length >= this.#setup.capacity) return this.end(id, "full");
    this.#tasks.push(id);
    this.end(id, "task");
    (free ? this.#running : this.#queue).push(id);
    if (this.#cause !== "") this.#over(id, this.#cause);
  }

  #over(task: number, how: string): void {
    if (this.#outcomes.has(task)) return;
    this.#outcomes.set(task, how);
    this.#running = this.#running.filter((other) => other !== task);
    this.#queue = this.#queue.filter((other) => other !== task);
    const free = this.#running.length < this.#setup.concurrency;
    if (free && this.#queue.length > 0) this.#running.push(this.#queue.shift() as number);
  }

  #fail(task: number): void {
    this.#errors++;
    this.#over(task, "Error");
    if (this.#setup.errors === "fail-fast") this.#cancelAll("Error");
  }

  #cancelAll(cause: string): void {
    if (this.#cause === "") this.#cause = cause;
    for (const task of [...this.#queue, ...this.#running]) this.#over(task, cause);
  }

  #tell(): void {
    for (const [join, task] of this.#joins) {
      const outcome = this.#outcomes.get(task);
      if (outcome !== undefined) this.end(join, outcome);
    }
    this.#joins = this.#joins.filter(([join]) => !this.ended.has(join));
  }
}

class RealGroup {
  readonly group: TaskGroup;
  readonly #handles: TaskHandle<string>[] = [];
  /** Of the tasks that run, what finishes them. */
  readonly #running = new Map<number, Channel<boolean>>();

  constructor(setup: Setup) {
    this.group = new TaskGroup(setup);
  }

  go(id: number, now: boolean): string {
    const task = async (ctx: { readonly signal?: AbortSignal }): Promise<string> => {
      const finish = new Channel<boolean>();
      this.#running.set(id, finish);
      try {
        if ((await finish.receive(ctx)).value === true) return "done";
        throw new Error("no");
      } finally {
        this.#running.delete(id);
      }
    };
    const handle = now ? this.group.tryGo(task) : this.group.go(task);
    if (handle === undefined) return "none";
    this.#handles.push(handle);
    return "task";
  }

  finish(which: number, well: boolean): void {
    const id = pickAt(
      [...this.#running.keys()].toSorted((a, b) => a - b),
      which,
    );
    if (id !== undefined) this.#running.get(id)?.trySend(well);
  }

  handle(which: number): TaskHandle<string> | undefined {
    return pickAt(this.#handles, which);
  }
}

export const taskGroupSubject: Subject<Setup, TaskCommand> = {
  setup: fc.record({
    concurrency: fc.integer({ min: 1, max: 3 }),
    capacity: fc.nat(3),
    errors: fc.constantFrom("fail-fast", "collect"),
  }),
  command: fc.record({
    do: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom("go" as const, "finish" as const, "join" as const) },
      { weight: 2, arbitrary: fc.constantFrom("tryGo" as const, "cancelTask" as const) },
      { weight: 1, arbitrary: fc.constantFrom("fail" as const, "fail" as const, "cancel" as const) },
    ),
    which: fc.nat(10),
  }),
  model: (setup) => new TaskModel(setup),
  real: (setup) => {
    const real = new RealGroup(setup);
    const { group } = real;
    return {
      apply({ do: command, which }, ctx, id) {
        if (command === "go" || command === "tryGo") return real.go(id, command === "tryGo");
        if (command === "join") return real.handle(which)?.join(ctx) ?? "none";
        if (command === "cancel") return group.cancel();
        if (command === "cancelTask") return real.handle(which)?.cancel();
        return real.finish(which, command === "finish");
      },
      look: () => [group.active, group.waiting, group.errors.length],
      dispose: () => group.cancel(),
    };
  },
};
