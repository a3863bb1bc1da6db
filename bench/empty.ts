/** A program that does nothing: what is left is the start of the runtime. */
process.exitCode = 0;
