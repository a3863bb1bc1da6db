/** The functions that threads call on every runtime. */
export const square = (n) => n * n;

export const fail = (message) => {
  throw new RangeError(message);
};

export const spin = () => {
  for (;;);
};

export function* upTo(n) {
  for (let i = 1; i <= n; i++) yield i;
}
