/** Where a figure is on a picture. */

/** Beyond so many times the smallest figure, the small ones could not be told apart. */
const LINEAR_RATIO = 20;
/** More decades than this have no room for their names. */
const NAMED_DECADES = 5;

/** From figures to places between two. Linear from 0, or logarithmic from a power of ten. */
export class Scale {
  /** Each power of ten of a logarithmic scale, or some of them if they are many; none of a linear one. */
  readonly ticks: readonly { readonly value: number; readonly x: number }[];
  readonly isLog: boolean;
  readonly #least: number;
  readonly #most: number;
  readonly #from: number;
  readonly #to: number;

  /** For these figures. */
  static of(figures: readonly number[], from: number, to: number): Scale {
    return new Scale(Math.min(...figures), Math.max(...figures), from, to);
  }

  private constructor(least: number, most: number, from: number, to: number) {
    this.isLog = least > 0 && most / least > LINEAR_RATIO;
    // Below the least figure there is room, so that its bar is one.
    const lowest = Math.floor(Math.log10(least * 0.8));
    const highest = Math.floor(Math.log10(most));
    [this.#least, this.#most, this.#from, this.#to] = [this.isLog ? 10 ** lowest : 0, most, from, to];
    const step = Math.ceil((highest - lowest) / NAMED_DECADES);
    this.ticks = this.isLog
      ? Array.from({ length: Math.floor((highest - lowest) / step) + 1 }, (_, n) => {
          const value = 10 ** (lowest + n * step);
          return { value, x: this.at(value) };
        })
      : [];
  }

  /** What is outside is at the nearest end. */
  at(figure: number): number {
    const part = this.isLog
      ? Math.log(figure / this.#least) / Math.log(this.#most / this.#least)
      : figure / (this.#most || 1);
    return this.#from + (this.#to - this.#from) * Math.min(1, Math.max(0, part));
  }
}
