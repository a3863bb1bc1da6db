/**
 * What the system says of a file, in words.
 */
import { exitStatus, Failure } from "./failure.ts";

const REASONS: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EISDIR", "it is a directory"],
  ["ENOTDIR", "a file is where a directory is wanted"],
  ["ENAMETOOLONG", "its name is too long"],
  ["ELOOP", "it is a link that leads to itself"],
  ["EMFILE", "too many open files"],
  ["ENFILE", "too many open files"],
  ["ENOSPC", "no space is left"],
  ["EDQUOT", "the quota is used up"],
  ["EROFS", "the file system can only be read"],
  ["EIO", "the device has failed"],
]);

/** What is no matter of one file. */
const OF_ALL_FILES = new Set<unknown>(["EMFILE", "ENFILE", "ENOSPC", "EDQUOT", "EIO"]);

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | undefined)?.code;
}

/** A failure that says which file could not be read, or written, and why. Others than those of the system stay as they are. */
export function fileFailure(verb: "read" | "write" | "use", name: string, error: unknown): unknown {
  if (!isOfSystem(error)) return error;
  const reason = REASONS.get(codeOf(error)) ?? error.message;
  return new Failure(exitStatus.file, `cannot ${verb} ${name}: ${reason}`, undefined, { cause: error });
}

/** What Node says of a thread that could not be started for want of files: it has no code of the system's, nor a file. */
const NO_FILE_FOR_THREAD = /^Worker initialization failure: E[MN]FILE$|: too many open files\.$/;

/** The same for what went wrong within a run, where only the system may know with which file. */
export function systemFailure(error: unknown): unknown {
  if (error instanceof Error && NO_FILE_FOR_THREAD.test(error.message)) {
    const message = `cannot use threads: ${REASONS.get("EMFILE")}`;
    return new Failure(exitStatus.file, message, undefined, { cause: error });
  }
  const { path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (path === undefined) return fileFailure("write", "temporary files", error);
  return fileFailure(syscall === "read" || syscall === "write" ? syscall : "use", path, error);
}

function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error;
}

/** Whether other files can still be worked on after this. */
export function isOfOneFile(error: unknown): error is Failure {
  return (
    error instanceof Failure && error.status === exitStatus.file && !OF_ALL_FILES.has(codeOf(error.cause))
  );
}
