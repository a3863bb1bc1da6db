/**
 * Strings as bytes whose order is that of code points: UTF-8, and a lone surrogate as UTF-8 would have it if it were a
 * character. So every string comes back as it was, and two that differ never become one.
 */

/** How many bytes a string may take. */
export function roomForText(text: string): number {
  return 3 * text.length;
}

/** Writes a string where there is room for it, and says where it ends. */
export function writeText(text: string, bytes: Uint8Array, from: number): number {
  let at = from;
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index);
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    if (code >= 0xd800 && code < 0xdc00) {
      code = text.codePointAt(index) as number;
      if (code > 0xffff) index++;
    }
    at = writeLong(code, bytes, at);
  }
  return at;
}

/** A code point that takes more than one byte. */
function writeLong(code: number, bytes: Uint8Array, from: number): number {
  let at = from;
  if (code < 0x800) bytes[at++] = 0xc0 | (code >> 6);
  else {
    if (code > 0xffff) {
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
    } else bytes[at++] = 0xe0 | (code >> 12);
    bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
  }
  bytes[at++] = 0x80 | (code & 0x3f);
  return at;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Text as a file has it: what is no UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The string that was written. */
export function readText(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.includes("\u{FFFD}") ? readLone(bytes) : text;
}

/** It may have lone surrogates, which no decoder knows. */
function readLone(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] as number;
    const width = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    let code = width === 1 ? first : first & (0x7f >> width);
    for (let index = 1; index < width; index++) code = (code << 6) | ((bytes[at + index] as number) & 0x3f);
    text += String.fromCodePoint(code);
    at += width;
  }
  return text;
}
