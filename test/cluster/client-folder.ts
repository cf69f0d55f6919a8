import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ToolPaths } from "../../tools/setup/tools.ts";

const CHECKOUT = resolve(import.meta.dirname, "../..");

/** Makes the folder of commands for people and tests: kubectl, helm and the plugin behind `kubectl llmbridge`. */
export function writeClientFolder(workFolder: string, tools: ToolPaths, kubeconfig: string): string {
  const folder = join(workFolder, "bin");
  mkdirSync(folder, { recursive: true });
  symlinkSync(tools.kubestack, join(folder, "kubectl")); // the binary goes by the name it is called by
  symlinkSync(tools.helm, join(folder, "helm"));
  const plugin = join(folder, "kubectl-llmbridge");
  writeFileSync(
    plugin,
    `#!/bin/sh\nexec ${process.execPath} ${join(CHECKOUT, "operator/cli/main.ts")} "$@"\n`,
  );
  chmodSync(plugin, 0o755);
  writeFileSync(join(workFolder, "env"), `export KUBECONFIG=${kubeconfig}\nexport PATH=${folder}:$PATH\n`);
  return folder;
}
