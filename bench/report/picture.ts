/** The picture of a subject: for each case a bar a variant, the fastest first. */
import type { MeasuredCase, MeasuredSubject, MeasuredVariant } from "../harness/measure.ts";
import type { Who } from "../harness/subject.ts";
import { nameOf } from "./names.ts";
import { Scale } from "./scale.ts";
import { cut, grouped, withUnit, wrapped, xmlText } from "./text.ts";

const WIDTH = 720;
const MARGIN = 12;
const LABEL_END = 212;
const BARS = { from: 220, to: 600 } as const;
const ROW = 20;
const BAR = 12;
const LINE = 16;
/** So many characters fit into the label and into the width, as wide as any usual font is. */
const LABEL_CHARACTERS = 30;
const LINE_CHARACTERS = 100;

/**
 * The colours are those of the reader's scheme, and so is the ground: whatever page it stands on, it can be read. The
 * fonts are the reader's own.
 */
const STYLE = `
  svg { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }
  .ground { fill: #ffffff; }
  text { fill: #1f2328; }
  .faint { fill: #59636e; }
  .grid { stroke: #d1d9e0; }
  .spread { stroke: #1f2328; }
  .strong { font-weight: 600; }
  .title { font-size: 15px; font-weight: 600; }
  .ours { fill: #0969da; } .peer { fill: #9198a1; } .go { fill: #1a7f64; }
  .naive { fill: #d4a72c; } .floor { fill: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; }
    text { fill: #f0f6fc; }
    .faint { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .spread { stroke: #f0f6fc; }
    .ours { fill: #4493f8; } .peer { fill: #656c76; } .go { fill: #2aa889; }
    .naive { fill: #9e6a03; } .floor { fill: #3d444d; }
  }
`;

const WORDS: Readonly<Record<Who, string>> = {
  ours: "this library",
  peer: "a package",
  naive: "written by hand",
  floor: "what the runtime costs",
  go: "Go",
};

/** An SVG image as wide as a page of text, that fetches nothing. */
export function pictureOf({ title, cases }: MeasuredSubject): string {
  const whose = (Object.keys(WORDS) as Who[]).filter((who) =>
    cases.some(({ variants }) => variants.some((variant) => variant.who === who)),
  );
  const drawing = new Drawing();
  drawing.text(MARGIN, 18, `${title}: less is better`, "title");
  drawing.down(28);
  drawLegend(drawing, whose);
  for (const measured of cases) drawCase(drawing, measured);
  return drawing.end(title);
}

function drawLegend(drawing: Drawing, whose: readonly Who[]): void {
  let x = MARGIN;
  for (const who of whose) {
    drawing.rect(x, 2, 12, 12, who);
    drawing.text(x + 18, 12, WORDS[who], "faint");
    x += 18 + WORDS[who].length * 7 + 16;
  }
  drawing.down(20);
}

function drawCase(drawing: Drawing, { name, operation, unit, variants }: MeasuredCase): void {
  const sorted = variants.toSorted((one, other) => one.median - other.median);
  const scale = Scale.of(
    sorted.flatMap(({ median, low, high }) => [median, low, high]),
    BARS.from,
    BARS.to,
  );
  drawing.down(14);
  drawing.text(MARGIN, 12, name, "strong");
  drawing.down(LINE);
  for (const line of wrapped(`${operation}${scale.isLog ? "; log scale" : ""}`, LINE_CHARACTERS)) {
    drawing.text(MARGIN, 12, line, "faint");
    drawing.down(LINE);
  }
  drawing.down(2);
  for (const { x } of scale.ticks) drawing.line(x, 0, x, sorted.length * ROW, "grid");
  for (const variant of sorted) {
    drawVariant(drawing, variant, withUnit(variant.median, unit), scale);
    drawing.down(ROW);
  }
  if (scale.ticks.length === 0) return;
  for (const { x, value } of scale.ticks)
    drawing.text(x, 12, `${grouped(String(value))} ${unit}`, "faint", "middle");
  drawing.down(LINE);
}

function drawVariant(drawing: Drawing, variant: MeasuredVariant, figure: string, scale: Scale): void {
  const { who, median, low, high } = variant;
  const strong = who === "ours" ? "strong" : "";
  const end = scale.at(median);
  drawing.text(LABEL_END, 14, cut(nameOf(variant), LABEL_CHARACTERS), strong, "end");
  drawing.rect(BARS.from, (ROW - BAR) / 2, end - BARS.from, BAR, who);
  drawing.line(scale.at(low), ROW / 2, scale.at(high), ROW / 2, "spread");
  drawing.text(Math.max(end, scale.at(high)) + 6, 14, figure, strong);
}

/** Lines of SVG. Places are counted from the top of what is drawn at the moment. */
class Drawing {
  readonly #elements: string[] = [];
  #top = MARGIN;

  down(by: number): void {
    this.#top += by;
  }

  text(x: number, y: number, text: string, name: string, anchor = "start"): void {
    const look = `${name === "" ? "" : ` class="${name}"`}${anchor === "start" ? "" : ` text-anchor="${anchor}"`}`;
    this.#elements.push(`<text x="${short(x)}" y="${short(this.#top + y)}"${look}>${xmlText(text)}</text>`);
  }

  rect(x: number, y: number, width: number, height: number, name: string): void {
    const place = `x="${short(x)}" y="${short(this.#top + y)}" width="${short(width)}" height="${height}"`;
    this.#elements.push(`<rect ${place} rx="2" class="${name}"/>`);
  }

  line(x1: number, y1: number, x2: number, y2: number, name: string): void {
    const from = `x1="${short(x1)}" y1="${short(this.#top + y1)}"`;
    const to = `x2="${short(x2)}" y2="${short(this.#top + y2)}"`;
    this.#elements.push(`<line ${from} ${to} class="${name}"/>`);
  }

  end(title: string): string {
    const height = short(this.#top + MARGIN);
    const box = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" aria-label="${xmlText(title)}">`,
      `<style>${STYLE}</style>`,
      `<rect width="${WIDTH}" height="${height}" rx="6" class="ground"/>`,
      ...this.#elements,
      "</svg>\n",
    ].join("\n");
  }
}

/** A tenth of a pixel is enough. */
function short(length: number): string {
  return String(Math.round(length * 10) / 10);
}
