import { expect } from "vitest";
import type { Host } from "../../examples/host.ts";

/** For what asks the machine for nothing, such as a count of words on one event loop. */
export const hostless: Host = {
  cores: 0,
  createFile: () => expect.unreachable(),
  prepareFolder: () => expect.unreachable(),
  scratchFolder: () => expect.unreachable(),
  pathOf: () => expect.unreachable(),
  load: () => expect.unreachable(),
};
