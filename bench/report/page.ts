/** The page of a run: every figure, what was to be reached, and how to repeat it. */
import type { Results } from "../harness/main.ts";
import type { MeasuredCase, MeasuredGoal, MeasuredSubject, MeasuredVariant } from "../harness/measure.ts";
import type { Unit } from "../harness/subject.ts";
import { figureText, goalText, notesOn } from "../harness/table.ts";
import { nameOf } from "./names.ts";
import { grouped, markdownTable, markdownText, NOISE, xmlText } from "./text.ts";

/** In Markdown. The same results give the same text. */
export function pageOf(results: Results): string {
  const parts = [
    "# Performance",
    introduction(results),
    "## How to read it",
    reading(results),
    "## What was to be reached",
    goalsOf(results.subjects),
    ...results.subjects.map(subjectText),
    "## How to repeat it",
    repeating(results),
  ];
  return `${parts.join("\n\n")}\n`;
}

function introduction({ date, machine, versions, effort }: Results): string {
  const { cpu, cores, memoryGb, system } = machine;
  const quick = effort.name === "quick" ? " This was a quick run, which shows little." : "";
  return [
    "What an operation costs, beside packages that do the same and beside Go. `npm run bench:report` writes this page and its",
    `pictures. Measured on ${date}, with Node ${versions["node"] ?? "unknown"} and ${versions["go"] ?? "without Go"}, on ${cores} cores`,
    `of "${markdownText(cpu)}", ${memoryGb} GB, ${markdownText(system)}.${quick}`,
  ].join("\n");
}

function reading({ effort: { rounds, warmUps, roundMs } }: Results): string {
  return [
    "- A figure is wall-clock time for one operation, unless its column names another unit. Less is better.",
    "- Each variant runs in a process of its own. The processes take turns, one round at a time, so that what slows the machine",
    `  for a while slows all of them: ${warmUps} rounds of about ${roundMs} ms to warm up, then ${rounds} that count; fewer where a round is long.`,
    "  Where there is a `taskset`, all of a case are bound to the core that is the least disturbed when it begins; not Go, and",
    "  nothing that works on several cores. The figure is the median of these; beside it are their tenth and their ninetieth percentile.",
    "- A ratio says how many times as fast a variant is as the best package, or as Go: the median over the rounds that ran next",
    `  to each other. **A ratio between ${(1 / NOISE).toFixed(2)} and ${NOISE} shows no difference.**`,
    "- Every round checks its result. `(naive)` is what somebody would write by hand, without cancellation and errors;",
    "  `(floor)` is what the runtime itself costs. The idiom says how a variant is called, where there is more than one way.",
    "- On this library's side are all of its features: cancellation, closing, errors, and the switch to virtual time.",
  ].join("\n");
}

function goalsOf(subjects: readonly MeasuredSubject[]): string {
  const goals = subjects.flatMap((subject) =>
    subject.cases.flatMap((measured) => measured.goals.map((goal) => ({ subject, measured, goal }))),
  );
  const reached = goals.filter(({ goal }) => goal.reached === true).length;
  const missed = goals.filter(({ goal }) => goal.reached !== true);
  const lines = missed.map(
    ({ subject, measured, goal }) =>
      `- [${markdownText(subject.title)}](#${anchorOf(subject.title)}), ${markdownText(measured.name)}: ${goalLine(goal)}`,
  );
  const all = `${reached} of ${goals.length} goals are reached.`;
  return lines.length === 0
    ? all
    : [`${all} These are not; below each table is why, where it is known:`, "", ...lines].join("\n");
}

function goalLine(goal: MeasuredGoal): string {
  return markdownText(goalText(goal).trim()).replace(/^NOT REACHED/, "**NOT REACHED**");
}

/** As the headings of a page are linked to. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");
}

function subjectText({ name, title, cases }: MeasuredSubject): string {
  return [
    `## ${markdownText(title)}`,
    `![${markdownText(title)}: a bar for each variant of each case; the tables below have the figures](performance/${name}.svg)`,
    ...cases.map(caseText),
  ].join("\n\n");
}

function caseText({ name, operation, unit, variants, goals }: MeasuredCase): string {
  const sorted = variants.toSorted((one, other) => one.median - other.median);
  const head = ["", "idiom", unit === "ns" ? "ns/op" : unit, "10 % - 90 %", "x best package", "x Go"];
  const table = markdownTable([head, ...sorted.map((variant) => rowOf(variant, unit))], [2, 3, 4, 5]);
  const said = goals.map((goal) => `- ${goalLine(goal)}`).join("\n");
  return [
    `### ${markdownText(title(name))}`,
    `${markdownText(title(operation))}.`,
    table,
    ...(said === "" ? [] : [said]),
    ...notesOn(goals).map((note) => `Why not: ${markdownText(note)}`),
  ].join("\n\n");
}

function title(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function rowOf(variant: MeasuredVariant, unit: Unit): string[] {
  const { who, idiom, median, low, high, versusPeer, versusGo } = variant;
  const name = markdownText(nameOf(variant));
  const figure = (value: number): string => grouped(figureText(value, unit));
  return [
    who === "ours" ? `**${name}**` : name,
    markdownText(idiom),
    figure(median),
    `${figure(low)} - ${figure(high)}`,
    versusPeer?.toFixed(2) ?? "",
    versusGo?.toFixed(2) ?? "",
  ];
}

function repeating({ versions, subjects, effort }: Results): string {
  const names = subjects.map(({ name }) => name).join(" ");
  const listed = Object.entries(versions).map(([name, version]) => `\`${xmlText(name)}\` ${version}`);
  return [
    "```sh",
    `npm run bench -- ${names}${effort.name === "quick" ? " --quick" : ""} --json results.json`,
    "npm run bench:report -- results.json",
    "```",
    "",
    "The first line fetches the packages; Go is measured where there is a `go`. On a machine that does something else meanwhile",
    "the figures are worth little, the ratios a bit more.",
    "",
    `Versions: ${listed.join(", ")}.`,
  ].join("\n");
}
