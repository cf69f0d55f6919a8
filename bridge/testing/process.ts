import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { FilesSpec } from "./bridge.ts";
import { type MountedFiles, writeFiles } from "./bridge.ts";

export interface BridgeProcess {
  readonly url: string;
  readonly adminUrl: string;
  readonly webSocketUrl: string;
  readonly child: ChildProcess;
  readonly files: MountedFiles;
  /** Exit code, or the name of the signal that ended it. */
  readonly exit: Promise<number | string | null>;
  readonly log: string[];
  close(): Promise<void>;
}

/**
 * The bridge's program, begun.
 * @param options Options of Node.
 */
export function spawnMain(files: MountedFiles, options: readonly string[] = []) {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const child = spawn(process.execPath, [...options, main], {
    env: { ...files.env, LOG_LEVEL: "info", PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const log: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => log.push(line));
  const exit = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string | null);
  return { child, log, lines, exit };
}

/** A bridge as its container runs it: a process of its own that takes signals. */
export async function spawnBridge(spec: FilesSpec): Promise<BridgeProcess> {
  const files = writeFiles(spec);
  const { child, log, lines, exit } = spawnMain(files);
  const ports = await new Promise<{ trafficPort: number; adminPort: number }>((resolve, reject) => {
    lines.on("line", (line) => {
      const entry = JSON.parse(line) as { msg: string; trafficPort: number; adminPort: number };
      if (entry.msg === "ready") resolve(entry);
    });
    void exit.then((code) =>
      reject(new Error(`the bridge ended with ${code} before it was ready: ${log.join("\n")}`)),
    );
  });
  return {
    url: `http://127.0.0.1:${ports.trafficPort}`,
    adminUrl: `http://127.0.0.1:${ports.adminPort}`,
    webSocketUrl: `ws://127.0.0.1:${ports.trafficPort}`,
    child,
    files,
    exit,
    log,
    async close() {
      child.kill("SIGKILL");
      await exit;
      files.remove();
    },
  };
}
