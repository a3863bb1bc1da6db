/** All that is proved with a model. */
import { channelSubject } from "./channel.ts";
import { agrees, type Subject, type Trial } from "./harness.ts";
import { contextSubject } from "./context.ts";
import { barrierSubject, condSubject, onceSubject, waitGroupSubject } from "./meetings.ts";
import { rwLockSubject } from "./rw-lock.ts";
import { selectSubject } from "./select.ts";
import { mutexSubject, semaphoreSubject } from "./semaphore.ts";
import { taskGroupSubject } from "./task-group.ts";
import { timersSubject } from "./timers.ts";

const tried =
  <S, C>(subject: Subject<S, C>) =>
  (trial: Trial): Promise<number> =>
    agrees(subject, trial);

/** By name: runs so many commands, and gives how many it were. */
export const subjects: Readonly<Record<string, (trial: Trial) => Promise<number>>> = {
  "a channel": tried(channelSubject),
  "a select": tried(selectSubject),
  "a context tree": tried(contextSubject),
  "a task group": tried(taskGroupSubject),
  timers: tried(timersSubject),
  "a semaphore": tried(semaphoreSubject),
  "a mutex": tried(mutexSubject),
  "a read-write lock": tried(rwLockSubject),
  "a condition": tried(condSubject),
  "a barrier": tried(barrierSubject),
  "a wait group": tried(waitGroupSubject),
  "work that is done once": tried(onceSubject),
};
