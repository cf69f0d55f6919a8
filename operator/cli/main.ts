import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import { run } from "./run.ts";

/** kubectl-llmbridge: run as `kubectl llmbridge ...` when it is on the PATH. */
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());

// A reader that has seen enough (`| head`) closes the pipe; that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
}

process.exitCode = await run(process.argv.slice(2), process.env, {
  write: (content) => process.stdout.write(content),
  warn: (content) => process.stderr.write(content),
  readStdin: () => text(process.stdin),
  nowMs: Date.now,
  newId: randomUUID,
  interactive: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  signal: interrupted.signal,
});
