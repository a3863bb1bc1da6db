/** What a report consists of. */
import type { Results } from "../harness/main.ts";
import { pageOf } from "./page.ts";
import { pictureOf } from "./picture.ts";
import { readmeWith } from "./readme.ts";

/** Where the pictures are, and nothing else. */
export const PICTURES = "docs/performance";

/** Reads what a run has written. JSON has no NaN: what was one is null there. */
export function resultsOf(json: string): Results {
  const read = JSON.parse(json, (_, value: unknown) => value ?? Number.NaN) as Results;
  if (read.v !== 1) throw new Error("these are no results of npm run bench");
  const wrong = read.subjects.find(({ name }) => !/^[a-z]+(-[a-z]+)*$/.test(name));
  if (wrong !== undefined) throw new Error(`a subject cannot be called ${JSON.stringify(wrong.name)}`);
  return read;
}

/** Each file and its text: the page, a picture a subject, and the README, of which a block is replaced. */
export function reportOf(results: Results, readme: string): ReadonlyMap<string, string> {
  return new Map([
    ["docs/performance.md", pageOf(results)],
    ...results.subjects.map((subject) => [`${PICTURES}/${subject.name}.svg`, pictureOf(subject)] as const),
    ["README.md", readmeWith(readme, results)],
  ]);
}
