import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

/** Accepts connections, and answers nothing. */
let silent: Server;
let folder: string;
const kubeconfig = () => join(folder, "kubeconfig");
beforeAll(async () => {
  silent = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(silent, "listening");
  folder = mkdtempSync(join(tmpdir(), "llmbridge-main-"));
  const server = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  writeFileSync(
    kubeconfig(),
    JSON.stringify({
      "current-context": "a",
      clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
    }),
  );
});
afterAll(() => {
  silent.close();
  rmSync(folder, { recursive: true });
});

let child: ChildProcess | undefined;
afterEach(() => void child?.kill("SIGKILL"));

function start(...argv: readonly string[]): ChildProcess {
  const main = join(import.meta.dirname, "main.ts");
  child = spawn(process.execPath, [main, ...argv], { stdio: ["pipe", "ignore", "ignore"] });
  return child;
}

describe("the first Ctrl-C", () => {
  it.each([
    ["get", "SIGINT", 130],
    ["get -w", "SIGINT", 0],
    ["status chat", "SIGINT", 130],
    ["status chat", "SIGTERM", 143],
  ] as const)("ends %s that waits for a server, by %s with code %i", async (words, signal, exitCode) => {
    const asked = once(silent, "connection");
    const started = start(...words.split(" "), "--kubeconfig", kubeconfig());
    await asked;
    started.kill(signal);
    expect(await once(started, "exit")).toEqual([exitCode, null]);
  });

  it("is not needed by status where the time to wait is over before the server has answered", async () => {
    const started = start("status", "chat", "--timeout", "300ms", "--kubeconfig", kubeconfig());
    expect(await once(started, "exit")).toEqual([3, null]);
  });

  it("ends lint that waits for stdin", async () => {
    const started = start("lint", "-");
    // More than fits into a pipe: it is written once it is read.
    await new Promise((resolve) => started.stdin?.write("# nothing yet\n".repeat(200_000), resolve));
    started.kill("SIGINT");
    expect(await once(started, "exit")).toEqual([130, null]);
  });
});
