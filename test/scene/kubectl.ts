import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, run } from "../../tools/setup/command.ts";
import type { LocalCluster } from "../cluster/cluster.ts";

/** Runs kubectl, its llmbridge plugin included, in one namespace, as a person does. */
export type Kubectl = (...args: readonly string[]) => Promise<string>;

export function kubectlIn(cluster: LocalCluster, namespace: string): Kubectl {
  const env = {
    ...process.env,
    KUBECONFIG: cluster.kubeconfigPath,
    PATH: `${cluster.binFolder}:${process.env.PATH}`,
  };
  // The namespace comes last: kubectl hands a plugin only what stands behind its name.
  return (...args) => run([cluster.kubectlPath, ...args, "--namespace", namespace], { env });
}

/** `kubectl apply` of all of these. */
export async function applyAll(kubectl: Kubectl, items: readonly object[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "llmbridge-apply-"));
  try {
    const file = join(folder, "list.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await kubectl("apply", "-f", file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All that a command wrote which was to fail. */
export async function outputOfFailure(command: Promise<string>): Promise<string> {
  let output: string;
  try {
    output = await command;
  } catch (error) {
    if (error instanceof CommandError) return error.output;
    throw error;
  }
  throw new Error(`the command was to fail, but wrote:\n${output}`);
}
