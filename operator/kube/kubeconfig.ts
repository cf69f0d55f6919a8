import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";

export type { KubeConfig };

export interface KubeConfigOptions {
  /** Path of a kubeconfig file. Default: the pod's service account in a pod, else KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig?: string | undefined;
  /** Name of a context in it. Default: the file's current context. */
  readonly context?: string | undefined;
  /** Where KUBECONFIG, HOME and the pod's variables are read from. Default: process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * Loads how to reach the API server and who we are there.
 * @throws Error when there is no configuration, the file cannot be read, or the context does not exist in it
 */
export function loadKubeConfig(options: KubeConfigOptions = {}): KubeConfig {
  const environment = options.environment ?? process.env;
  const config = new KubeConfig();
  if (options.kubeconfig !== undefined) {
    loadFile(config, options.kubeconfig);
  } else if (environment.KUBERNETES_SERVICE_HOST && existsSync(SERVICE_ACCOUNT_TOKEN)) {
    config.loadFromCluster();
  } else {
    const home = join(environment.HOME ?? homedir(), ".kube", "config");
    if (!environment.KUBECONFIG && !existsSync(home)) {
      throw new Error("no kubeconfig found: pass --kubeconfig FILE, set KUBECONFIG, or run inside a pod");
    }
    config.loadFromDefault();
  }
  if (options.context !== undefined) {
    if (!config.getContextObject(options.context)) {
      const known = config.getContexts().map((context) => context.name);
      throw new Error(
        `kubeconfig context ${JSON.stringify(options.context)} does not exist: use one of ${known.join(", ")}`,
      );
    }
    config.setCurrentContext(options.context);
  }
  if (!config.getCurrentCluster()) {
    throw new Error(
      "the kubeconfig has no current context: set current-context in it or pass --context NAME",
    );
  }
  return config;
}

function loadFile(config: KubeConfig, file: string): void {
  try {
    config.loadFromFile(file);
  } catch (error) {
    throw new Error(
      `kubeconfig ${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
