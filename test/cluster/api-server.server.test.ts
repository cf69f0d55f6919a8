import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { run } from "../../tools/setup/command.ts";
import { createProgress } from "../../tools/setup/progress.ts";
import { type ApiServer, apiServerUp } from "./api-server.ts";
import { ownedBy } from "./processes.ts";

const progress = createProgress({ write: () => undefined, nowMs: Date.now });
const up: ApiServer[] = [];
const start = async (): Promise<ApiServer> => {
  const server = await apiServerUp({ progress });
  up.push(server);
  return server;
};
const kubectl = (server: ApiServer, ...args: string[]): Promise<string> =>
  run([server.kubectlPath, "--kubeconfig", server.kubeconfigPath, ...args]);

afterEach(async () => {
  await Promise.all(up.splice(0).map((server) => server.down()));
});

it("two run side by side, keep what they hold through a restart, and leave nothing", async () => {
  const [one, two] = [await start(), await start()];
  await kubectl(one, "create", "namespace", "here");
  await expect(kubectl(two, "get", "namespace", "here")).rejects.toThrow(/not found/);

  await one.stopServer();
  await expect(kubectl(one, "get", "namespace", "here", "--request-timeout=1s")).rejects.toThrow();
  await one.startServer();
  await kubectl(one, "get", "namespace", "here");

  const folder = dirname(one.kubeconfigPath);
  expect(ownedBy(folder)).toHaveLength(2);
  await one.down();
  expect(ownedBy(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
  await kubectl(two, "get", "namespaces");
});

it("what a killed process left behind goes with the next start", async () => {
  const script = `import { apiServerUp } from ${JSON.stringify(join(import.meta.dirname, "api-server.ts"))};
    const progress = { note() {}, step: (_, work) => work() };
    console.log((await apiServerUp({ progress })).kubeconfigPath);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const folder = dirname(line.toString().trim());
  expect(ownedBy(folder)).toHaveLength(2);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  await start();
  expect(ownedBy(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});
