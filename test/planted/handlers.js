/** Bugs of the log that the handlers of a topic share. See `scripts/test-planted.mjs`. */
export const handlers = [
  [
    "publishing without waiting does not ask a handler in the midst of its messages",
    "patterns/pubsub/handler-log.ts",
    "    this.#reading?.tell();\n    let roomUntil",
    "    let roomUntil",
  ],
  [
    "a handler who comes later gets more than it has room for",
    "patterns/pubsub/handler-log.ts",
    "this.#roomUntil = Math.min(this.#roomUntil, reader.roomUntil);",
    "",
  ],
  [
    "a log drops a message that the slowest has not read",
    "patterns/pubsub/handler-log.ts",
    "read = Math.min(read, at - this.start);",
    "read = Math.min(read, at - this.start + 1);",
  ],
  [
    "what everybody has read is dropped, and nobody's place moves with it",
    "patterns/pubsub/handler-log.ts",
    "    this.start += count;\n",
    "",
  ],
  [
    "a log keeps what everybody has read",
    "patterns/pubsub/handler-log.ts",
    "if (this.end >= this.#tidyAt) this.#tidy();",
    "",
  ],
  [
    "a message that is withdrawn reaches those who have no room yet",
    "patterns/pubsub/handler-log.ts",
    "for (const reader of this.#fullAt(late.place)) reader.withdraw(late.place);",
    "",
  ],
  [
    "a publisher waits for a handler that has left",
    "patterns/pubsub/handler-log.ts",
    "      this.#late.at(place - firstLate).settled(0);",
    "      {}",
  ],
  [
    "a message that was withdrawn keeps its place in the line of publishers",
    "patterns/pubsub/handler-log.ts",
    "    late.open = 0;\n",
    "",
  ],
  [
    "who waits for a slow handler is let in only when that has nothing else left",
    "patterns/pubsub/log-reader.ts",
    "        this.tell();\n        if (waited",
    "        if (waited",
  ],
  [
    "a handler has no room for the message that it asks for",
    "patterns/pubsub/log-reader.ts",
    "this.#capacity + this.#asking +",
    "this.#capacity +",
  ],
  [
    "a message that was withdrawn takes up room",
    "patterns/pubsub/log-reader.ts",
    "if (this.#withdrawn?.has(place) === true) this.#passedOver++;\n    else if",
    "if",
  ],
  [
    "a handler who leaves does not tell what room it has made",
    "patterns/pubsub/log-reader.ts",
    "    this.tell();\n    this.#state",
    "    this.#state",
  ],
];
