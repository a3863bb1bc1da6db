/** Text as the report writes it, in a page or in a picture. */
import { figureText } from "../harness/table.ts";
import type { Unit } from "../harness/subject.ts";

/** Ratios between this and its inverse show no difference: what is measured moves by as much from run to run. */
export const NOISE = 1.3;

/** "1,234 ns". */
export function withUnit(value: number, unit: Unit): string {
  return `${grouped(figureText(value, unit))} ${unit}`;
}

/** Thousands apart. */
export function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
}

/** Whether a ratio shows a difference. */
export function isDifferent(ratio: number): boolean {
  return ratio >= NOISE || ratio <= 1 / NOISE;
}

/** Of Markdown: the cells of each row below each other, the first row above the line. */
export function markdownTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const [head = [], ...body] = rows.map((row) => row.map(escapedCell));
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...body].map((row) => row[column]?.length ?? 0)),
  );
  const line = widths.map((width, column) =>
    right.includes(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const padded = (row: readonly string[]): string[] =>
    widths.map((width, column) => {
      const cell = row[column] ?? "";
      return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
    });
  return [padded(head), line, ...body.map(padded)].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function escapedCell(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** Nothing in it is taken for Markdown or for HTML. */
export function markdownText(text: string): string {
  return text.replace(/[\\`*_<>[\]]/g, "\\$&");
}

/** Nothing in it is taken for a tag or for the end of an attribute. */
export function xmlText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** At most so many characters. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`;
}

/** Lines of at most so many characters, but for a longer word. */
export function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > most) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
