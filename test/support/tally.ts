/** What a test says about itself to the report at the end. */
export interface Tally {
  /** How many schedules it has tried. */
  schedules?: number;
  /** How many commands it has run beside a model. */
  commands?: number;
}

declare module "vitest" {
  interface TaskMeta extends Tally {}
}
