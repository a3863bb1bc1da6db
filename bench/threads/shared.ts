/** A thread that takes numbers from one shared channel, and gives each, one greater, to another. */
import { workerData } from "node:worker_threads";
import { sharedChannel, type SharedChannelHandle } from "../../src/node/threads/channel.ts";
import { next } from "./jobs.ts";

const [there, back] = workerData as readonly SharedChannelHandle<number>[];
if (there === undefined || back === undefined) throw new Error("there are no channels");
const [jobs, results] = [sharedChannel(there), sharedChannel(back)];
for (let job = jobs.receiveSync(); job.done !== true; job = jobs.receiveSync())
  results.sendSync(next(job.value));
