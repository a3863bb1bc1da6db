import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32, crc32Combined } from "../../examples/crc32.ts";

/** As zlib has written it behind the bytes. */
function crcByZlib(bytes: Uint8Array): number {
  return gzipSync(bytes).readUInt32LE(gzipSync(bytes).length - 8);
}

describe("crc32", () => {
  test("is that of gzip", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf4_3926);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => crc32(bytes) === crcByZlib(bytes)));
  });

  test("of two parts is that of the whole, however long they are", () => {
    const part = fc.uint8Array({ maxLength: 600 });
    fc.assert(
      fc.property(part, part, (first, second) => {
        const whole = crc32Combined(crc32(first), crc32(second), second.length);
        expect(whole).toBe(crc32(Uint8Array.of(...first, ...second)));
      }),
    );
    const zeros = new Uint8Array(1 << 20);
    expect(crc32Combined(crc32(zeros), crc32(zeros), zeros.length)).toBe(crc32(new Uint8Array(2 << 20)));
  });
});
