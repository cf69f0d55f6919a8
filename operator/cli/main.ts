import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import { run } from "./run.ts";
import { sizeOf, wantsColour } from "./terminal.ts";

/** kubectl-llmbridge: run as `kubectl llmbridge ...` when it is on the PATH. */
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());

// A reader that has seen enough (`| head`) closes the pipe; that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
}

const size = () => sizeOf(process.stdout, process.env);

process.exitCode = await run(process.argv.slice(2), process.env, {
  write: (content) => process.stdout.write(content),
  warn: (content) => process.stderr.write(content),
  readStdin: () => text(process.stdin),
  nowMs: Date.now,
  newId: randomUUID,
  size,
  coloured: wantsColour(size(), process.env),
  signal: interrupted.signal,
});
