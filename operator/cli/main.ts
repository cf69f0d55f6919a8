import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import { text } from "node:stream/consumers";
import { Interruption } from "./failure.ts";
import { run } from "./run.ts";
import { sizeOf, wantsColour } from "./terminal.ts";

/** kubectl-llmbridge: run as `kubectl llmbridge ...` when it is on the PATH. */
const interrupted = new AbortController();
/** Time for what watches or waits to end by itself, and to say how things stand; whatever else goes on (stdin, a server that is silent) is left. */
const GRACE_MS = 300;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    interrupted.abort(new Interruption(signal));
    setTimeout(() => process.exit(process.exitCode ?? 128 + constants.signals[signal]), GRACE_MS).unref();
  });

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
