/** The one list of what is measured. */
import { channel } from "./channel.ts";
import type { Subject } from "./harness/subject.ts";
import { select } from "./select.ts";

export const subjects: readonly Subject[] = [channel, select];
