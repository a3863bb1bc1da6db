/** Pools, semaphores and limiters: what cannot be had is refused at once, and time cannot be forged. */
import { RateLimiter } from "concurrency-model-patterns/rate-limiting";
import { ResourcePool } from "concurrency-model-patterns/resource-pooling";
import { Semaphore } from "concurrency-model-patterns/semaphore";
import { fate, pause, peer, theyFailWePass } from "./duel.ts";

interface GenericPoolModule {
  readonly default: {
    createPool(
      factory: { create(): Promise<object>; destroy(): Promise<void> },
      options: object,
    ): { acquire(): Promise<object>; on(event: string, listener: () => void): void };
  };
}

interface TarnModule {
  readonly Pool: new (
    options: object,
  ) => {
    acquire(): { readonly promise: Promise<object> };
    destroy(): Promise<void>;
  };
}

interface EffectModule {
  readonly Effect: { runSync(effect: unknown): never; runPromise(effect: unknown): Promise<unknown> };
  readonly Semaphore: { make(permits: number): unknown };
}

interface SemaModule {
  readonly Sema: new (permits: number) => { acquire(): Promise<unknown>; release(): void };
}

interface FlexibleModule {
  readonly RateLimiterMemory: new (options: object) => { consume(key: string): Promise<unknown> };
}

const ATTEMPTS = 50_000;

theyFailWePass(
  "attempts to connect to a dead server before a timer of 1 ms has its turn",
  "generic-pool",
  {
    seen: ATTEMPTS,
    program: async () => {
      const { default: genericPool } = await peer<GenericPoolModule>("generic-pool");
      let attempts = 0;
      const create = (): Promise<object> => {
        attempts++;
        return attempts >= ATTEMPTS ? Promise.resolve({}) : Promise.reject(new Error("dead"));
      };
      const pool = genericPool.createPool({ create, destroy: () => Promise.resolve() }, { max: 1 });
      pool.on("factoryCreateError", () => {});
      void pool.acquire();
      await pause(1);
      return attempts;
    },
  },
  {
    seen: 1,
    program: async () => {
      let attempts = 0;
      const create = (): Promise<object> => {
        attempts++;
        return Promise.reject(new Error("dead"));
      };
      const pool = new ResourcePool({ create, max: 1 });
      pool.acquire().catch(() => {});
      await pause(1);
      pool.close();
      return attempts;
    },
  },
);

theyFailWePass(
  "a caller who comes after the pool has been destroyed",
  "tarn",
  {
    seen: "never settles",
    program: async () => {
      const { Pool } = await peer<TarnModule>("tarn");
      const factory = { create: () => Promise.resolve({}), destroy: () => Promise.resolve() };
      const pool = new Pool({ ...factory, min: 0, max: 1, acquireTimeoutMillis: 10_000 });
      await pool.destroy();
      return fate(pool.acquire().promise);
    },
  },
  {
    seen: "rejects",
    program: async () => {
      const pool = new ResourcePool({ create: () => ({}), max: 1 });
      await pool.drain();
      return fate(pool.acquire());
    },
  },
);

theyFailWePass(
  "who asks for five permits of three",
  "effect",
  {
    seen: "never settles",
    program: async () => {
      const { Effect, Semaphore: Permits } = await peer<EffectModule>("effect");
      const permits: { take(count: number): unknown } = Effect.runSync(Permits.make(3));
      return fate(Effect.runPromise(permits.take(5)));
    },
  },
  {
    seen: "rejects",
    program: () => fate(Promise.resolve(3).then((permits) => new Semaphore(permits).acquire(5))),
  },
);

theyFailWePass(
  "who asks for the one permit, when its last holder has released twice",
  "async-sema",
  {
    seen: "resolves",
    program: async () => {
      const { Sema } = await peer<SemaModule>("async-sema");
      const permits = new Sema(1);
      await permits.acquire();
      permits.release();
      permits.release();
      await permits.acquire();
      return fate(permits.acquire());
    },
  },
  {
    seen: "never settles",
    program: async () => {
      const permits = new Semaphore(1);
      const release = await permits.acquire();
      release();
      release();
      await permits.acquire();
      return fate(permits.acquire());
    },
  },
);

/** Runs `program` while the wall clock shows an hour more. */
async function anHourLater<T>(program: () => T): Promise<Awaited<T>> {
  const { now } = Date;
  Date.now = () => now() + 3_601_000;
  try {
    return await program();
  } finally {
    Date.now = now;
  }
}

theyFailWePass(
  "a request over an hour's limit, when somebody has set the wall clock",
  "rate-limiter-flexible",
  {
    seen: true,
    program: async () => {
      const { RateLimiterMemory } = await peer<FlexibleModule>("rate-limiter-flexible");
      const limiter = new RateLimiterMemory({ points: 5, duration: 3600 });
      for (let request = 0; request < 5; request++) await limiter.consume("key");
      const granted = limiter.consume.bind(limiter, "key");
      return anHourLater(() =>
        granted().then(
          () => true,
          () => false,
        ),
      );
    },
  },
  {
    seen: false,
    program: () => {
      const limiter = new RateLimiter({ perSecond: 5 / 3600, burst: 5 });
      for (let request = 0; request < 5; request++) limiter.allow();
      return anHourLater(() => limiter.allow());
    },
  },
);
