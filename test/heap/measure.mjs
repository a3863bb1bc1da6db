/**
 * How much the heap grows with the operations of each primitive and pattern: one line of JSON. Run with
 * `node --expose-gc`, on what was built. Each subject does a twentieth of its operations first, to warm up, and at least 1000.
 */
import {
  afterFunc,
  background,
  Barrier,
  Channel,
  Cond,
  consume,
  countedSender,
  EventLoop,
  fanOut,
  JobQueue,
  mapReduce,
  Mutex,
  onceValue,
  pipeline,
  PubSub,
  RateLimiter,
  receive,
  receiveMany,
  ResourcePool,
  RwLock,
  select,
  Semaphore,
  settled,
  SingleFlight,
  sleep,
  Supervisor,
  TaskGroup,
  WaitGroup,
  withCancel,
  withTimeout,
  WorkerPool,
} from "concurrency-model-patterns";

const quiet = () => {};
const signal = new AbortController().signal;

/** Of each subject: what is made once, and an operation on it. */
const subjects = {
  "a value over a buffered channel": () => {
    const channel = new Channel(1);
    return async (n) => {
      await channel.send(n);
      await channel.receive();
    };
  },
  "a value handed over, under a signal": () => {
    const channel = new Channel();
    return (n) => Promise.all([channel.receive({ signal }), channel.send(n, { signal })]);
  },
  "a receive that is cancelled": () => {
    const channel = new Channel();
    return async () => {
      const { ctx, cancel } = withCancel({ signal });
      const received = channel.receive(ctx).catch(quiet);
      cancel();
      await received;
    };
  },
  "a value that is dropped": () => {
    const channel = new Channel(1, { overflow: "drop-oldest", onDrop: quiet });
    return (n) => channel.send(n);
  },
  "a select that waits": () => {
    const [one, two] = [new Channel(), new Channel()];
    return (n) => Promise.all([select({ one: receive(one), two: receive(two) }, { signal }), two.send(n)]);
  },
  "a select that waits for a promise too": () => {
    const never = new Promise(quiet);
    const channel = new Channel();
    return (n) => Promise.all([select({ never: settled(never), got: receive(channel) }), channel.send(n)]);
  },
  "a batch": () => {
    const channel = new Channel(2);
    return async (n) => {
      await channel.send(n);
      await receiveMany(channel, 2, { signal });
    };
  },
  "a counted sender": () => {
    const first = countedSender(new Channel());
    return () => first.clone().close();
  },
  "a context tree": () => () => {
    const { ctx, cancel } = withCancel({ signal });
    const child = withTimeout(ctx, 1e6);
    afterFunc(child.ctx, quiet)();
    cancel();
  },
  "a task group": () => () =>
    TaskGroup.run(
      async (group) => {
        await group.go(quiet).join();
      },
      { signal },
    ),
  "a semaphore": () => {
    const semaphore = new Semaphore(1);
    return () => Promise.all([semaphore.withPermit(quiet, { signal }), semaphore.withPermit(quiet)]);
  },
  "a mutex": () => {
    const mutex = new Mutex();
    return () => Promise.all([mutex.withLock(quiet, { signal }), mutex.withLock(quiet)]);
  },
  "a read-write lock": () => {
    const lock = new RwLock();
    return () => Promise.all([lock.withWriteLock(quiet, { signal }), lock.withReadLock(quiet, { signal })]);
  },
  "a condition": () => {
    const mutex = new Mutex();
    const changed = new Cond(mutex);
    return async () => {
      let ready = false;
      const woken = changed.withLockWhen(() => ready, quiet, { signal });
      await mutex.withLock(() => {
        ready = true;
      });
      changed.signal();
      await woken;
    };
  },
  "a barrier": () => {
    const barrier = new Barrier(2);
    return () => Promise.all([barrier.wait({ signal }), barrier.wait({ signal })]);
  },
  "a wait group": () => {
    const group = new WaitGroup();
    return async () => {
      group.add();
      const waited = group.wait({ signal });
      group.done();
      await waited;
    };
  },
  "work that is done once": () => () => onceValue(quiet)({ signal }),
  "a sleep that is cancelled": () => async () => {
    const { ctx, cancel } = withCancel(background);
    const slept = sleep(1e6, ctx).catch(quiet);
    cancel();
    await slept;
  },
  "a token": () => {
    const limiter = new RateLimiter({ perSecond: 1e9, burst: 10 });
    return () => limiter.wait(1, { signal });
  },
  "a lease": () => {
    const pool = new ResourcePool({ create: () => ({}), max: 1 });
    return () => Promise.all([pool.use(quiet, { signal }), pool.use(quiet, { signal })]);
  },
  "a job of a worker pool": () => {
    const pool = new WorkerPool((n) => n, { workers: 1 });
    return (n) => pool.run(n, { signal });
  },
  "a job of a queue": () => {
    const queue = new JobQueue({ capacity: 4 });
    consume(queue, quiet);
    return (n) => queue.put(n, { signal });
  },
  "a message": () => {
    const bus = new PubSub();
    const inbox = bus.subscribe("news")[Symbol.asyncIterator]();
    return async (n) => {
      await bus.publish("news", n);
      await inbox.next();
    };
  },
  "a flight": () => {
    const flights = new SingleFlight();
    return (n) => Promise.all([flights.do(n, quiet), flights.do(n, quiet)]);
  },
  "an event": () => {
    const loop = new EventLoop();
    loop.on("key", quiet);
    void loop.run();
    return (n) => loop.post("key", n);
  },
  "a pipeline": () => () =>
    pipeline([1])
      .map((n) => n)
      .toArray(),
  "a fan": () => () => fanOut([1], (n) => n, { workers: 1 }).toArray(),
  "a map and a reduce": () => () =>
    mapReduce(["a"], { map: (line, emit) => emit(line, 1), reduce: (_, ones) => ones.length }),
  "a supervisor": () => async () => {
    const supervisor = new Supervisor([{ id: "one", restart: "temporary", start: quiet }]);
    await supervisor.wait();
  },
};

async function heapUsed() {
  // What was promised to the host's next turns is part of the operations.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

async function growth(make, operations) {
  const operation = make();
  for (let n = 0; n < Math.max(1000, operations / 20); n++) await operation(n);
  const before = await heapUsed();
  for (let n = 0; n < operations; n++) await operation(n);
  return (await heapUsed()) - before;
}

const operations = Number(process.argv[2] ?? 100_000);
const grown = {};
for (const [name, make] of Object.entries(subjects)) grown[name] = await growth(make, operations);
process.stdout.write(`${JSON.stringify(grown)}\n`);
process.exit(0);
