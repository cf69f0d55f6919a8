import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../../operator/main.ts");

const KUBECONFIG = {
  ...{ apiVersion: "v1", kind: "Config", "current-context": "nowhere" },
  clusters: [{ name: "nowhere", cluster: { server: "https://127.0.0.1:9" } }],
  users: [{ name: "nobody", user: { token: "none" } }],
  contexts: [{ name: "nowhere", context: { cluster: "nowhere", user: "nobody" } }],
};

it("an operator whose port is taken says so and ends, so that it is started anew", async () => {
  const folder = mkdtempSync(join(tmpdir(), "llmbridge-start-"));
  const taken = createServer().listen(0);
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const [settings, kubeconfig] = [join(folder, "settings.yaml"), join(folder, "kubeconfig")];
  writeFileSync(settings, "{}");
  writeFileSync(kubeconfig, JSON.stringify(KUBECONFIG));
  const child = spawn(
    process.execPath,
    [MAIN, `--settings=${settings}`, `--kubeconfig=${kubeconfig}`, `--metrics-port=${port}`],
    { stdio: ["ignore", "ignore", "pipe"], timeout: 60_000, killSignal: "SIGKILL" },
  );
  const [said, [code, signal]] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect([code, signal]).toEqual([1, null]);
  expect(said).toContain("the operator cannot start");
  taken.close();
  rmSync(folder, { recursive: true });
});
