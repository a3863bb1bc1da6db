/**
 * What calls such as `on` and `subscribe` give back.
 */

/** Stands for what was registered: a handler, a source, a subscription. */
export interface Registration {
  /** Takes it back, at once. Does nothing the second time. */
  unsubscribe(): void;
  /** Unsubscribes, for `using`. */
  [Symbol.dispose](): void;
}
