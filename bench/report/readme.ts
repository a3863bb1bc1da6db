/** The few ratios that the README shows. */
import type { Results } from "../harness/main.ts";
import type { MeasuredSubject } from "../harness/measure.ts";
import { isDifferent, markdownTable, markdownText, withUnit } from "./text.ts";

const BEGIN = "<!-- performance: npm run bench:report -->";
const END = "<!-- end of performance -->";

/** The README with the block between its two comments written anew. */
export function readmeWith(readme: string, results: Results): string {
  const [before, rest, ...more] = readme.split(BEGIN);
  const [old, after, ...others] = (rest ?? "").split(END);
  if (before === undefined || old === undefined || after === undefined || more.length + others.length > 0)
    throw new Error(`README.md must have one ${BEGIN} and, below it, one ${END}`);
  return `${before}${BEGIN}\n\n${blockOf(results)}\n\n${END}${after}`;
}

function blockOf({ subjects, versions, machine }: Results): string {
  const rows = subjects.map(rowOf).filter((row) => row !== undefined);
  const goals = subjects.flatMap(({ cases }) => cases.flatMap((one) => one.goals));
  const reached = goals.filter((goal) => goal.reached === true).length;
  const head = ["", "takes", "the best package takes", "Go takes"];
  return [
    markdownTable([head, ...rows], [1, 2, 3]),
    "",
    `Node ${versions["node"] ?? "unknown"}, ${versions["go"] ?? "no Go"}, ${machine.cores} cores of ${markdownText(machine.cpu)}.`,
    `${reached} of ${goals.length} goals are reached; the page names those that are not.`,
  ].join("\n");
}

/** The first case of a subject stands for it. Nothing, if it was compared with nobody. */
function rowOf({ title, cases }: MeasuredSubject): string[] | undefined {
  const [first] = cases;
  const ours = first?.variants.find(({ who }) => who === "ours");
  if (first === undefined || ours === undefined) return undefined;
  const { versusPeer, versusGo } = ours;
  if (versusPeer === undefined && versusGo === undefined) return undefined;
  const what = `${markdownText(title)}: ${markdownText(first.operation)}`;
  return [what, withUnit(ours.median, first.unit), timesText(versusPeer), timesText(versusGo)];
}

function timesText(ratio: number | undefined): string {
  if (ratio === undefined) return "";
  return isDifferent(ratio) ? `${ratio.toFixed(1)} times as long` : "as long";
}
