import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { reportOf, resultsOf } from "../../bench/report/files.ts";
import { Scale } from "../../bench/report/scale.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const variant = (name: string, who: string, median: number, more: object = {}): object => ({
  name,
  who,
  idiom: "",
  median,
  low: median * 0.9,
  high: median * 1.1,
  cpuNs: null,
  rounds: [median],
  ...more,
});

const HOSTILE = `<script>"a" & 'b'</script> | *c* [d](e)`;

const NOTE = "An *await* takes as long.";
const first = { of: "ours", versus: "best peer", against: "a-peer", atLeast: 2 };

const results = {
  v: 1,
  date: "2026-01-02",
  machine: { cpu: "A <b> CPU", cores: 2, memoryGb: 4, system: "linux 1.2" },
  versions: { node: "v20.0.0", go: "go1.2", "a-peer": "1.0.0" },
  effort: { name: "full", roundMs: 250, warmUps: 4, rounds: 11 },
  subjects: [
    {
      name: "channel",
      title: "Channel & co",
      cases: [
        {
          name: "buffered",
          operation: HOSTILE,
          unit: "ns",
          variants: [
            variant("ours", "ours", 100, { idiom: "plain await", versusPeer: 2.5, versusGo: 0.5 }),
            variant("a-peer", "peer", 250, { versusPeer: 1, versusGo: 0.2 }),
            variant("by hand", "naive", 123456.7, { versusPeer: 0.002 }),
            variant("Go", "go", 50, { versusGo: 1 }),
          ],
          goals: [
            { ...first, value: 2.5, reached: true, note: "It was not in vain." },
            { of: "ours", versus: "Go", against: "Go", atLeast: 1, value: 0.5, reached: false, note: NOTE },
            { of: "ours", versus: "nobody", atLeast: 1 },
          ],
        },
      ],
    },
    {
      name: "size",
      title: "Size",
      cases: [
        {
          name: "whole",
          operation: "all of it",
          unit: "B",
          variants: [variant("ours", "ours", 25_000)],
          goals: [{ of: "ours", atMost: 30_000, value: 25_000, reached: true }],
        },
      ],
    },
  ],
};
const json = JSON.stringify(results);
const README =
  "# A\n\n<!-- performance: npm run bench:report -->\nold\n<!-- end of performance -->\n\n## Z\n";
const report = reportOf(resultsOf(json), README);
const textOf = (file: string): string => report.get(file) ?? "";
const page = textOf("docs/performance.md");
const picture = textOf("docs/performance/channel.svg");

describe("the report of a run", () => {
  test("is a page, a picture a subject and a block of the README, and the same bytes each time", () => {
    const files = ["docs/performance.md", "docs/performance/channel.svg", "docs/performance/size.svg"];
    expect([...report.keys()]).toEqual([...files, "README.md"]);
    expect([...reportOf(resultsOf(json), README)]).toEqual([...report]);
    expect(reportOf(resultsOf(json), textOf("README.md")).get("README.md")).toBe(textOf("README.md"));
  });

  test("has every figure, the fastest first, with its ratios", () => {
    const rows = page
      .split("\n")
      .filter((line) => /^\|.*\d - \d+[\d.,]* /.test(line) && !line.includes("idiom"));
    expect(rows.map((row) => row.split("|").map((cell) => cell.trim()))).toEqual([
      ["", "Go", "", "50.0", "45.0 - 55.0", "", "1.00", ""],
      ["", "**ours**", "plain await", "100", "90.0 - 110", "2.50", "0.50", ""],
      ["", "a-peer", "", "250", "225 - 275", "1.00", "0.20", ""],
      ["", "by hand (naive)", "", "123,457", "111,111 - 135,802", "0.00", "", ""],
      ["", "**ours**", "", "25,000", "22,500 - 27,500", "", "", ""],
    ]);
  });

  test("says which goals are reached, which are not, and why not", () => {
    const goals = page.split("\n").filter((line) => line.startsWith("- ") && line.includes(", at "));
    expect(goals).toEqual([
      "- [Channel & co](#channel--co), buffered: **NOT REACHED**: ours, at least 1x Go: 0.50x",
      "- [Channel & co](#channel--co), buffered: not measured: ours, at least 1x nobody",
      "- reached: ours, at least 2x a-peer: 2.50x",
      "- **NOT REACHED**: ours, at least 1x Go: 0.50x",
      "- not measured: ours, at least 1x nobody",
      "- reached: ours, at most 30000: 25000",
    ]);
    expect(page).toContain(
      "2 of 4 goals are reached. These are not; below each table is why, where it is known:",
    );
    expect(page.split("\n").filter((line) => line.startsWith("Why not"))).toEqual([
      String.raw`Why not: An \*await\* takes as long.`,
    ]);
  });

  test("says on what it was measured, with which versions, and how to do it again", () => {
    expect(page).toContain("Measured on 2026-01-02, with Node v20.0.0 and go1.2, on 2 cores\nof");
    expect(page).toContain("4 rounds of about 250 ms to warm up, then 11 that count");
    expect(page).toContain("`node` v20.0.0, `go` go1.2, `a-peer` 1.0.0.");
    expect(page).toContain(
      "npm run bench -- channel size --json results.json\nnpm run bench:report -- results.json\n",
    );
  });

  test("takes nothing in a text for markup", () => {
    expect(page).toContain(String.raw`\<script\>"a" & 'b'\</script\> | \*c\* \[d\](e).`);
    expect(page).toContain(String.raw`"A \<b\> CPU"`);
    expect(picture).toContain(
      ">&lt;script&gt;&quot;a&quot; &amp; 'b'&lt;/script&gt; | *c* [d](e); log scale</text>",
    );
    expect(picture).toContain('aria-label="Channel &amp; co"');
    expect(textOf("README.md")).toContain(String.raw`\</script\> \| \*c\*`);
  });

  test("shows a few ratios in the README, and leaves the rest of it as it was", () => {
    const lines = textOf("README.md").split("\n");
    const rows = lines.filter((line) => line.startsWith("| Channel"));
    expect(rows.map((row) => row.split(" | ").slice(-3))).toEqual([
      ["100 ns", "     2.5 times as long", "0.5 times as long |"],
    ]);
    expect(textOf("README.md")).not.toContain("Size");
    expect([lines[0], lines.at(-2)]).toEqual(["# A", "## Z"]);
    expect(textOf("README.md")).not.toContain("old");
  });

  test.each([
    "# no block",
    README + README,
    "<!-- end of performance --><!-- performance: npm run bench:report -->",
  ])("is refused by a README with other than one block", (readme) => {
    expect(() => reportOf(resultsOf(json), readme)).toThrow("README.md must have one <!-- performance");
  });

  test("is refused for what is no result of a run, and for a name that is no name of a file", () => {
    expect(() => resultsOf("{}")).toThrow("these are no results of npm run bench");
    const elsewhere = { ...results, subjects: [{ ...results.subjects[0], name: "../x" }] };
    expect(() => resultsOf(JSON.stringify(elsewhere))).toThrow('a subject cannot be called "../x"');
  });
});

describe("a picture", () => {
  const numbers = (pattern: RegExp): number[] =>
    [...picture.matchAll(pattern)].map(([, digits]) => Number(digits));

  test("fetches nothing, and is readable in the light and in the dark", () => {
    expect(picture).not.toMatch(/href|url\(|@import|@font-face|<image|<script/);
    expect(picture).toContain("prefers-color-scheme: dark");
  });

  test("is 720 wide and has everything inside", () => {
    expect(picture).toContain('width="720"');
    const [height = 0] = numbers(/viewBox="0 0 720 (\d+)"/g);
    expect(Math.max(...numbers(/ y="([\d.]+)"/g))).toBeLessThan(height);
    expect(Math.max(...numbers(/ x[12]?="([\d.]+)"/g))).toBeLessThan(620);
  });

  test("has a longer bar for a larger figure", () => {
    const bars = [...picture.matchAll(/width="([\d.]+)" height="12" rx="2" class="(\w+)"/g)]
      .map(([, width, who]) => [who, Number(width)] as const)
      .slice(4); // the legend's
    expect(bars.map(([who]) => who)).toEqual(["go", "ours", "peer", "naive"]);
    const widths = bars.map(([, width]) => width);
    expect(widths).toEqual(widths.toSorted((one, other) => one - other));
    expect(Math.min(...widths)).toBeGreaterThan(0);
  });
});

describe("a scale", () => {
  test("is linear from 0 for figures of like size, so that half a figure is half a bar", () => {
    const scale = Scale.of([100, 200], 0, 400);
    expect([scale.isLog, scale.ticks, scale.at(0), scale.at(100), scale.at(200)]).toEqual([
      false,
      [],
      0,
      200,
      400,
    ]);
  });

  test("is logarithmic from a power of ten for others, and has the powers on it", () => {
    const scale = Scale.of([10, 10_000], 0, 400);
    expect(scale.isLog).toBe(true);
    expect(scale.ticks.map(({ value, x }) => [value, Math.round(x)])).toEqual([
      [1, 0],
      [10, 100],
      [100, 200],
      [1000, 300],
      [10_000, 400],
    ]);
    expect([scale.at(0.1), scale.at(1e6)]).toEqual([0, 400]);
  });

  test("has a few powers if there are many, and none where a figure is 0", () => {
    expect(Scale.of([1e-3, 1e9], 0, 400).ticks.length).toBeLessThanOrEqual(6);
    expect(Scale.of([0, 5], 0, 400).isLog).toBe(false);
    expect(Scale.of([0], 0, 400).at(0)).toBe(0);
  });
});

test("the README has one block, and the page, where there is one, the pictures it shows", () => {
  const readme = readFileSync(`${root}README.md`, "utf8");
  expect(() => reportOf(resultsOf(json), readme)).not.toThrow();
  const written = existsSync(`${root}docs/performance.md`)
    ? readFileSync(`${root}docs/performance.md`, "utf8")
    : "";
  const shown = [...written.matchAll(/\]\((performance\/[\w-]+\.svg)\)/g)].map(([, path]) => path);
  const folder = `${root}docs/performance`;
  const there = existsSync(folder) ? readdirSync(folder).map((name) => `performance/${name}`) : [];
  expect(new Set(there)).toEqual(new Set(shown));
});
