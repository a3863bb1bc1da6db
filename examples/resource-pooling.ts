/** Resource pooling: more workers than connections, and each connection used again and again. */
import type { Context } from "concurrency-model-patterns/context";
import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { sleep } from "concurrency-model-patterns/timers";
import { defineDemo } from "./demo.ts";
import { whole } from "./parameters.ts";

/** One kind of resource, and what a worker does with it. */
interface Scene {
  readonly pool: string;
  readonly resource: string;
  readonly action: (id: number) => string;
  readonly workers: number;
  readonly min: number;
  readonly max: number;
  readonly workMs: () => number;
}

/** Lets all workers of a scene run at once, each with one resource; gives how many resources were made. */
async function play(scene: Scene, ctx: Context, print: (text: string) => void): Promise<number> {
  let made = 0;
  const { pool: name, min, max } = scene;
  const pool = new ResourcePool({ name, create: () => ++made, min, max, order: "fifo" });
  try {
    await pool.ready(ctx);
    await TaskGroup.run(
      (group) => {
        for (let worker = 1; worker <= scene.workers; worker++) {
          const work = async (id: number): Promise<void> => {
            print(`Worker ${worker}: Got ${scene.resource} ${id}`);
            await sleep(scene.workMs(), group.ctx);
            print(`Worker ${worker}: ${scene.action(id)}`);
            print(`Worker ${worker}: Released ${scene.resource} ${id}`);
          };
          group.go((scope) => pool.use(work, scope), { name: `worker ${worker}` });
        }
      },
      { signal: ctx.signal },
    );
  } finally {
    await pool.drain();
  }
  return pool.created;
}

export const demo = defineDemo({
  title: "Resource Pooling Pattern",
  about: [
    "More workers than connections: some are made in advance, more on demand up",
    "to the limit, and then workers wait until one is given back. The same with",
    "HTTP clients.",
  ],
  tryThis: ["cmp-pattern --resource-pooling --connections 8", "cmp-pattern --resource-pooling --clients 1"],
  parameters: {
    connections: whole("how many database connections there are at most", 5, 1, 100),
    clients: whole("how many HTTP clients there are at most", 4, 1, 100),
  },

  async run({ params, ctx, print, between }) {
    print();
    print("1. Database Connection Pool Example:");
    const database: Scene = {
      pool: "database",
      resource: "DB connection",
      action: (id) => `Executing query on connection ${id}`,
      workers: 8,
      min: Math.min(3, params.connections),
      max: params.connections,
      workMs: () => between(200, 700),
    };
    print(`DB pool closed. Total connections created: ${await play(database, ctx, print)}`);

    print();
    print("2. HTTP Client Pool Example:");
    const http: Scene = {
      pool: "HTTP",
      resource: "HTTP client",
      action: (id) => `Making API request with client ${id}`,
      workers: 6,
      min: Math.min(2, params.clients),
      max: params.clients,
      workMs: () => between(100, 400),
    };
    print(`HTTP client pool closed. Total clients created: ${await play(http, ctx, print)}`);

    print();
    print("Resource Pooling example completed!");
  },
});
