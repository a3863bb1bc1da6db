/** What the compiler says of the public modules and of all examples: it takes longer than to run them. */
import { beforeAll, describe, expect, test } from "vitest";
import { docExamples, pageExamples } from "../support/doc-examples.ts";
import { PublicApi } from "../support/doc-program.ts";

describe("the public modules", () => {
  let api: PublicApi;
  beforeAll(() => {
    api = new PublicApi();
  });

  test("give no name two meanings", () => {
    expect(api.clashes()).toEqual([]);
  });

  test("show an example of every class and function", () => {
    expect(api.withoutExample(["src/sync", "src/patterns", "src/testing"])).toEqual([]);
  });

  test("are used in the examples as their types say", () => {
    expect(api.mistakesIn([...docExamples(), ...pageExamples()])).toEqual([]);
  });
});
