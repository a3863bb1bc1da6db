import { Barrier } from "concurrency-model-patterns/barrier";
import { background, withCancel } from "concurrency-model-patterns/context";
import { inEveryOrder } from "../support/explored.ts";
import { check, how, sorted, step, together } from "../support/programs.ts";

inEveryOrder("a barrier", {
  "nobody goes on before all have arrived": async () => {
    const barrier = new Barrier(3);
    let arrived = 0;
    const visit = async (): Promise<void> => {
      arrived++;
      await barrier.wait();
      check(arrived === 3, `${arrived} had arrived`);
    };
    await together(visit, visit, visit);
  },
  "each has a place of its own, round by round": async () => {
    const barrier = new Barrier(2);
    const places: [number[], number[]] = [[], []];
    const visit = async (): Promise<void> => {
      for (const round of places) round.push(await barrier.wait());
    };
    await together(visit, visit);
    check(
      places.every((round) => sorted(round) === "0,1"),
      places.join(" "),
    );
  },
  "rounds do not mix": async () => {
    const barrier = new Barrier(2);
    let arrivals = 0;
    const visit = async (): Promise<void> => {
      for (const round of [1, 2]) {
        arrivals++;
        await barrier.wait();
        check(arrivals >= 2 * round, `${arrivals} in round ${round}`);
      }
    };
    await together(visit, visit);
  },
  "of three, two make a round and the third waits": [
    async () => {
      const barrier = new Barrier(2);
      const { ctx, cancel } = withCancel(background);
      const ends: string[] = [];
      const visit = async (): Promise<void> => {
        ends.push(await how(barrier.wait(ctx)));
        if (ends.length === 2) cancel();
      };
      await together(visit, visit, visit);
      check(barrier.waiting === 0, `${barrier.waiting} wait`);
      return ends.join();
    },
    "ok,ok,canceled",
  ],
  "who is cancelled has not arrived, and may come back": [
    async () => {
      const barrier = new Barrier(2);
      const { ctx, cancel } = withCancel(background);
      let first = "";
      await together(
        async () => {
          first = await how(barrier.wait(ctx));
          if (first === "canceled") await barrier.wait();
        },
        () => barrier.wait(),
        () => cancel(),
      );
      check(barrier.waiting === 0, `${barrier.waiting} wait`);
      return first;
    },
    "canceled",
    "ok",
  ],
  "an action runs once a round, between the last arrival and the first to go on": async () => {
    let acted = 0;
    const barrier = new Barrier(2, { action: () => step().then(() => void acted++) });
    const visit = async (): Promise<void> => {
      await barrier.wait();
      check(acted === 1, `${acted}`);
    };
    await together(visit, visit);
    check(acted === 1, `${acted}`);
  },
  "what the action throws, all of its round get": async () => {
    const barrier = new Barrier(2, { action: () => Promise.reject(new Error("no")) });
    const ends: string[] = [];
    const visit = async (): Promise<void> => void ends.push(await how(barrier.wait()));
    await together(visit, visit);
    check(ends.join() === "Error: no,Error: no", ends.join());
  },
});
