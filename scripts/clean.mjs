/** Removes what an earlier build left, so that a deleted module is not shipped. */
import { rmSync } from "node:fs";

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
