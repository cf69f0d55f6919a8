import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { until } from "../kube/until.ts";

const KEPT_LINES = 100;

/** A server process that a test started, and that the test ends. */
export interface ServerProcess {
  readonly pid: number;
  /** Sends a signal; no-op once it has exited. */
  signal(name: NodeJS.Signals): void;
  /** Stops it without closing connections; resolves when its last thread stands still. */
  pause(): Promise<void>;
  /** Goes on. */
  resume(): void;
  /** SIGTERM, SIGKILL after `graceMs`; resolves when it is gone. Calling it again is fine. */
  stop(graceMs?: number): Promise<void>;
  readonly exited: Promise<number | undefined>;
  /** The line that said that it serves. */
  readonly readyLine: string;
  /** The last lines of its output, oldest first. */
  readonly lastLines: readonly string[];
}

export interface StartOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The line of stdout or stderr that says that it serves. */
  readonly ready: RegExp;
  /** Told of each line of its output. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Default 20,000. */
  readonly readyWithinMs?: number;
}

/** The letter after the name in brackets, as of proc_pid_stat(5). */
const threadStates = (pid: number): (string | undefined)[] =>
  readdirSync(`/proc/${pid}/task`).map((id) => {
    const stat = readFileSync(`/proc/${pid}/task/${id}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2];
  });

/** Stops a process; resolves when it stands still. Until then a thread that is at work on another processor may still answer a request. */
export async function standStill(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await until(`every thread of ${pid} to stand still`, () => threadStates(pid).every((one) => one === "T"));
}

/**
 * Starts a server and waits for its ready line.
 * @throws with its last lines of output if it exits or stays silent first.
 */
export async function startProcess(options: StartOptions): Promise<ServerProcess> {
  const child: ChildProcess = spawn(options.command, options.args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const exited = new Promise<number | undefined>((resolve) => {
    // "close" instead of "exit": by then its last words have arrived.
    child.once("close", (code) => resolve(code ?? undefined));
    child.once("error", () => resolve(undefined));
  });
  const lastLines: string[] = [];
  const readyLine = await new Promise<string>((resolve, reject) => {
    const fail = (what: string) =>
      reject(new Error(`${options.command}: ${what} before it was ready; it said: ${lastLines.join(" | ")}`));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail("time ran out");
    }, options.readyWithinMs ?? 20_000);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        options.onLine?.(line);
        lastLines.push(line);
        if (lastLines.length > KEPT_LINES) lastLines.shift();
        if (!options.ready.test(line)) return;
        clearTimeout(timer);
        resolve(line);
      });
    }
    child.once("error", (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      fail(`exited with ${code ?? signal}`);
    });
  });

  return {
    pid: child.pid ?? 0,
    exited,
    readyLine,
    lastLines,
    signal: (name) => void child.kill(name),
    pause: () => standStill(child.pid ?? 0),
    resume: () => void child.kill("SIGCONT"),
    async stop(graceMs = 5_000) {
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
