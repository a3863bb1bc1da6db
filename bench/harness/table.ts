/** What was measured, as text. */
import type { MeasuredCase, MeasuredGoal, MeasuredVariant } from "./measure.ts";
import type { Unit } from "./subject.ts";

/** A case as a table, and below it what it was to reach. */
export function tableOf(measured: MeasuredCase): string {
  const { name, operation, unit, variants, goals } = measured;
  const rows = [
    ["", "idiom", `${unit}/op`.replace(/^([^n].*)\/op$/, "$1"), "of the rounds", "x best peer", "x Go"],
    ...variants.map((variant) => rowOf(variant, unit)),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  const notes = notesOn(goals).map((note) => `  ${note}`);
  return [
    `${name}: ${operation}`,
    ...lines.map((line) => `  ${line}`),
    ...goals.map(goalText),
    ...notes,
    "",
  ].join("\n");
}

function rowOf(variant: MeasuredVariant, unit: Unit): string[] {
  const { name, who, idiom, median, low, high, versusPeer, versusGo } = variant;
  const whose = who === "ours" || who === "peer" ? name : `${name} (${who})`;
  const spread = `${figureText(low, unit)} - ${figureText(high, unit)}`;
  return [whose, idiom, figureText(median, unit), spread, ratioText(versusPeer), ratioText(versusGo)];
}

/** A figure with as many digits as mean something. */
export function figureText(value: number, unit: Unit): string {
  if (unit === "B") return String(Math.round(value));
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? "" : ratio.toFixed(2);
}

/** Why some were not reached, as far as is known; several may have the same reason. */
export function notesOn(goals: readonly MeasuredGoal[]): string[] {
  const notes = goals.flatMap(({ reached, note }) => (reached === false && note !== undefined ? [note] : []));
  return [...new Set(notes)];
}

/** What was to be reached, and what was. */
export function goalText({ of, versus, against, atLeast, atMost, value, reached }: MeasuredGoal): string {
  const other = versus === undefined ? "" : ` ${against ?? versus}`;
  const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  const times = versus === undefined ? "" : "x";
  if (value === undefined) return `  not measured: ${of}, ${bound}${times}${other}`;
  const said = reached === true ? "reached" : "NOT REACHED";
  const reading = versus === undefined ? String(Number(value.toFixed(2))) : value.toFixed(2);
  return `  ${said}: ${of}, ${bound}${times}${other}: ${reading}${times}`;
}
