/** The one list of what is measured. */
import { cancel } from "./cancel.ts";
import { channel } from "./channel.ts";
import { command } from "./command.ts";
import { context } from "./context.ts";
import { fan } from "./fan.ts";
import type { Subject } from "./harness/subject.ts";
import { map } from "./map.ts";
import { mapreduce } from "./mapreduce.ts";
import { pipelines } from "./pipeline.ts";
import { pools } from "./pools.ts";
import { pubsub } from "./pubsub.ts";
import { rateLimiting } from "./rate-limiting.ts";
import { resourcePooling } from "./resource-pooling.ts";
import { select } from "./select.ts";
import { semaphore } from "./semaphore.ts";
import { sharedChannels } from "./shared-channel.ts";
import { singleflight } from "./singleflight.ts";
import { size } from "./size.ts";
import { supervisor } from "./supervisor.ts";
import { threads } from "./threads.ts";

export const subjects: readonly Subject[] = [
  channel,
  select,
  context,
  cancel,
  supervisor,
  pubsub,
  rateLimiting,
  singleflight,
  resourcePooling,
  pipelines,
  fan,
  pools,
  map,
  semaphore,
  threads,
  sharedChannels,
  mapreduce,
  command,
  size,
];
