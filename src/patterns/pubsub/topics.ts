/**
 * Many topics at once, by a pattern, as NATS's subjects.
 */

/**
 * A pattern of topics, made by {@link topics}. Where a topic can be subscribed to, this can be too.
 *
 * @example
 * const orders: TopicPattern<"order.>"> = topics("order.>");
 * ["order", "order.paid", "order.paid.eur"].map((topic) => orders.matches(topic)); //=> [false, true, true]
 */
export class TopicPattern<P extends string = string> {
  /** The pattern as it was written. */
  readonly text: P;
  readonly #shape: RegExp;

  /** @internal */
  constructor(text: P) {
    this.text = text;
    this.#shape = shapeOf(text);
  }

  /** Whether a topic is one of them. */
  matches(topic: string): boolean {
    return this.#shape.test(topic);
  }
}

/** The topics of `M` that `P` stands for. */
export type MatchingTopic<M, P extends string> = {
  [K in keyof M & string]: Matches<P, K> extends true ? K : never;
}[keyof M & string];

/** What a subscriber to a pattern gets: a message, and the topic on which it was published, which tells its type. */
export type TopicMessage<M, P extends string> = {
  [K in MatchingTopic<M, P>]: {
    /** Where it was published. */
    readonly topic: K;
    /** What was published. */
    readonly message: M[K];
  };
}[MatchingTopic<M, P>];

/** Whether the words of pattern `P` fit those of topic `K`, from the left; a topic that is any string may fit. */
type Matches<P extends string, K extends string> = string extends K | P
  ? true
  : P extends ">"
    ? true
    : [P, K] extends [`${infer Word}.${infer Words}`, `${infer First}.${infer Rest}`]
      ? Word extends "*" | First
        ? Matches<Words, Rest>
        : false
      : [P, K] extends [`${string}.${string}`, string] | [string, `${string}.${string}`]
        ? false
        : P extends "*" | K
          ? true
          : false;

/**
 * All topics that a pattern stands for. A topic is words with dots between them. In a pattern, `*` stands for any one
 * word, and `>`, which can only come last, for one or more.
 *
 * **Guarantees** A message that several patterns of one subscriber fit comes once for each of its subscriptions.
 * **Errors** Throws `TypeError` for an empty word, for `>` before the end, and for `*` or `>` within a word.
 * **Cost** Every message on any topic is compared with every pattern that is subscribed to, in O(its length).
 * **Not for** topics that are any text: a topic with an empty word fits no pattern.
 * **Source** The subjects of NATS.
 *
 * @example
 * const bus = new PubSub<{ "order.created": string; "order.paid": number; "user.created": string }>();
 * const seen: string[] = [];
 * bus.on(topics("order.*"), ({ topic, message }) => void seen.push(`${topic}: ${message}`));
 * await bus.publish("order.created", "o-1");
 * await bus.publish("user.created", "u-1");
 * await bus.publish("order.paid", 42);
 * await bus.drain();
 * seen; //=> ["order.created: o-1", "order.paid: 42"]
 */
export function topics<const P extends string>(pattern: P): TopicPattern<P> {
  return new TopicPattern(pattern);
}

const WORD = "[^.]+";

/** One expression for all its words. Each word ends where the next dot is, so that matching never tries twice. */
function shapeOf(pattern: string): RegExp {
  const words = pattern.split(".");
  const shapes = words.map((word, index) => {
    if (word === "*") return WORD;
    if (word === ">" && index === words.length - 1) return `${WORD}(?:\\.${WORD})*`;
    if (word === "" || /[*>]/u.test(word)) throw new TypeError(refusal(pattern));
    return word.replaceAll(/[\\^$+?()[\]{}|/]/gu, String.raw`\$&`);
  });
  return new RegExp(`^${shapes.join("\\.")}$`, "u");
}

function refusal(pattern: string): string {
  const expected = "words with dots between them, where a word may be * and the last one may be >";
  return `pattern must be ${expected}, got ${JSON.stringify(pattern)}`;
}
