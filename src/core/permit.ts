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
  return asPermit(() => {
    if (!held) return;
    held = false;
    giveBack();
  });
}

/** Makes a permit of a function that does nothing when it is called again. */
export function asPermit(release: () => void): Permit {
  // Not `Object.assign`, which takes longer than all the rest of a permit.
  const permit = release as Permit;
  permit[Symbol.dispose] = release;
  return permit;
}
