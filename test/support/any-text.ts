import * as fc from "fast-check";

/** Texts of any characters. fast-check's own `unit: "binary"` takes more than a second to be made. */
export function anyText(constraints: fc.ArrayConstraints = {}): fc.Arbitrary<string> {
  const character = fc
    .integer({ min: 0, max: 0x10ffff })
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .map((code) => String.fromCodePoint(code));
  return fc.array(character, constraints).map((characters) => characters.join(""));
}
