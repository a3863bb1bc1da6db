import { expect, test } from "vitest";
import { Failure } from "../../cli/failure.ts";
import { systemFailure } from "../../cli/file-failure.ts";

const ofSystem = (code: string, more: object): Error =>
  Object.assign(new Error(`${code}: as the system says it`), { code, ...more });

test.each([
  [ofSystem("EMFILE", { syscall: "open", path: "/a" }), "cannot use /a: too many open files"],
  [ofSystem("EIO", { syscall: "read", path: "/a" }), "cannot read /a: the device has failed"],
  [ofSystem("ENOSPC", { syscall: "write" }), "cannot write temporary files: no space is left"],
  [new Error("Worker initialization failure: EMFILE"), "cannot use threads: too many open files"],
  [
    new Error("Cannot read package config /a/package.json: too many open files."),
    "cannot use threads: too many open files",
  ],
])("what the system refuses is said in a line, and has a status of its own: %s", (error, said) => {
  const failure = systemFailure(error);
  expect(failure).toBeInstanceOf(Failure);
  expect(failure).toMatchObject({ message: said, status: 5, cause: error });
});

test("what is no matter of the system stays as it is", () => {
  const error = new Error("something else");
  expect(systemFailure(error)).toBe(error);
});
