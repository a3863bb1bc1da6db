/** The one list of what is measured. */
import { channel } from "./channel.ts";
import { fan } from "./fan.ts";
import type { Subject } from "./harness/subject.ts";
import { map } from "./map.ts";
import { pipelines } from "./pipeline.ts";
import { pools } from "./pools.ts";
import { semaphore } from "./semaphore.ts";

export const subjects: readonly Subject[] = [channel, pipelines, fan, pools, map, semaphore];
