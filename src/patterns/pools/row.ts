/**
 * Jobs that were handed over one after the other, and that begin by one promise.
 *
 * A job begins in the async context of its caller, as a reaction to a promise. A promise of its own is most of what a job
 * keeps while it waits, and very many may wait: so jobs that are far from their turn share one, and make their own when
 * the first of their row has its turn.
 *
 * Invariants
 *   I1  Members are told in the order in which they joined, each once, after the row was opened.
 *   I2  Nobody joins a row that is full or open.
 */

/** So many share a promise: what it costs is little for each, and few are told before their turn. */
const LENGTH = 64;

/** A job in a row. */
export interface RowMember<O> {
  /** The one who joined after it; for {@link Row} alone. */
  following: RowMember<O> | undefined;
  /** Opens the row; to be called when it shall be told. */
  begin: () => void;
  /** Its row was opened. Called in the async context in which it joined; gives what the job comes to. */
  near(): Promise<O>;
}

class Row<O> {
  #first: RowMember<O> | undefined;
  #last: RowMember<O> | undefined;
  #room = LENGTH;
  readonly #opened: Promise<void>;
  #open!: () => void;

  constructor() {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Whether one more may join. */
  get hasRoom(): boolean {
    return this.#room > 0;
  }

  join(member: RowMember<O>): Promise<O> {
    this.#room--;
    member.begin = this.#begin;
    if (this.#last === undefined) this.#first = member;
    else this.#last.following = member;
    this.#last = member;
    return this.#opened.then(this.#next);
  }

  readonly #begin = (): void => {
    this.#room = 0;
    this.#open();
  };

  /** The reaction of each member. One function for all: they come in the order in which they joined. */
  readonly #next = (): Promise<O> => {
    const member = this.#first as RowMember<O>;
    this.#first = member.following;
    member.following = undefined;
    return member.near();
  };
}

/** The rows of a pool. */
export class Rows<O> {
  #row = new Row<O>();

  /** Joins the row that is being filled. Gives what the job comes to. */
  join(member: RowMember<O>): Promise<O> {
    if (!this.#row.hasRoom) this.#row = new Row<O>();
    return this.#row.join(member);
  }
}
