/**
 * Did you mean …?
 */
import { registry } from "../examples/index.ts";

/** The hint that goes with an unknown word. */
export function didYouMean(word: string | undefined): string {
  const list = `Run 'cmp-pattern list' for all ${registry.length} patterns.`;
  return word === undefined ? list : `Did you mean ${word}?   ${list}`;
}

/** The known word that is nearest to what was typed, if any is near. */
export function suggest(typed: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const word of known) {
    const edits = distance(typed, word);
    if (edits < least) {
      least = edits;
      best = word;
    }
  }
  return best ?? onlyOne(known.filter((word) => typed.length > 1 && word.startsWith(typed)));
}

function onlyOne(words: readonly string[]): string | undefined {
  return words.length === 1 ? words[0] : undefined;
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
