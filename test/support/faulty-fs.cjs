/**
 * Makes a call of the file system fail, in this thread and in those that are started by it: `node --require` this file.
 * `process.env.FAULT` says which, as JSON: the name of the call, a code, a part of the path, how many calls in this thread go
 * well before, and a file that says that it has failed already, so that it does once only.
 */
"use strict";
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");

const TEXTS = { EIO: "i/o error", EMFILE: "too many open files", ENOSPC: "no space left on device" };
const { openSync, closeSync } = fs;
/** The paths of what is open. */
const paths = new Map();
let told = "";
let calls = 0;

/** The system's error, which names a path if it was given one. */
function errorOf(code, call, path) {
  const syscall = call.replace(/Sync$|File/g, "").toLowerCase();
  const about = typeof path === "string" ? ` '${path}'` : "";
  const error = new Error(`${code}: ${TEXTS[code]}, ${syscall}${about}`);
  return Object.assign(error, { errno: -5, code, syscall }, about === "" ? {} : { path });
}

/** Throws if this call is the one. */
function check(name, given) {
  const { FAULT } = process.env;
  if (FAULT === undefined || FAULT === "") return;
  if (FAULT !== told) calls = 0;
  told = FAULT;
  const { call, code, part, skip = 0, once } = JSON.parse(FAULT);
  // A newer Node opens what it loads by these functions too, by its URL. That is not what is tested.
  const path = String((typeof given === "number" ? paths.get(given) : given) ?? "");
  if (call !== name || /\.[cm]?js$/.test(path) || !path.includes(part) || calls++ < skip) return;
  try {
    closeSync(openSync(once, "wx"));
  } catch {
    return;
  }
  throw errorOf(code, name, given);
}

fs.openSync = (path, ...rest) => {
  check("openSync", path);
  const descriptor = openSync(path, ...rest);
  paths.set(descriptor, path);
  return descriptor;
};
fs.closeSync = (descriptor) => {
  closeSync(descriptor);
  check("closeSync", descriptor);
};
for (const name of ["readSync", "writeSync", "fsyncSync", "mkdirSync"]) {
  const call = fs[name];
  fs[name] = (given, ...rest) => {
    check(name, given);
    return call(given, ...rest);
  };
}
for (const name of ["open", "rename", "mkdtemp", "readdir", "mkdir", "rm"]) {
  const call = fs.promises[name];
  fs.promises[name] = async (path, ...rest) => {
    check(name, path);
    return call(path, ...rest);
  };
}
syncBuiltinESMExports();
