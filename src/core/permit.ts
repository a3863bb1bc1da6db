/**
 * The right to hold something, as a value: whoever has it can give it back, once, and nobody else can.
 */

/** Gives back what it stands for. Calling it again does nothing, so more than was held cannot be given back. */
export interface Permit {
  (): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/** Makes a permit; `giveBack` is called at most once. */
export function permitOf(giveBack: () => void): Permit {
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    giveBack();
  };
  return Object.assign(release, { [Symbol.dispose]: release });
}
