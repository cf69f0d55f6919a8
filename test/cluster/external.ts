import { SetupProblem } from "../../tools/setup/problem.ts";
import type { ExternalCluster } from "./cluster.ts";

/** What has to be said about a cluster of one's own, and in which variable. */
const NEEDED = {
  LLMBRIDGE_OPERATOR_IMAGE: "the reference of the operator's image in a registry that the cluster pulls from",
  LLMBRIDGE_BRIDGE_IMAGE: "the reference of the bridge's image in a registry that the cluster pulls from",
  LLMBRIDGE_MODEL_IMAGE: "the reference of the model stand-in's image",
  LLMBRIDGE_PROMETHEUS_URL: "Prometheus as this machine reaches it",
  LLMBRIDGE_PROMETHEUS_URL_IN_CLUSTER: "Prometheus as pods reach it",
} as const;

/**
 * The cluster that `LLMBRIDGE_KUBECONFIG` names; undefined when it names none. `KUBECONFIG` alone never chooses a
 * cluster, so that nobody's is used by accident. Throws {@link SetupProblem} naming everything that is missing.
 */
export function externalCluster(env: NodeJS.ProcessEnv): ExternalCluster | undefined {
  const kubeconfigPath = env.LLMBRIDGE_KUBECONFIG;
  if (kubeconfigPath === undefined || kubeconfigPath === "") return undefined;
  const missing = Object.entries(NEEDED).filter(([name]) => !env[name]);
  if (missing.length > 0) {
    const list = missing.map(([name, meaning]) => `${name} (${meaning})`).join(", ");
    throw new SetupProblem(`LLMBRIDGE_KUBECONFIG names a cluster of your own, so set also ${list}.`);
  }
  const value = (name: keyof typeof NEEDED): string => env[name] ?? "";
  return {
    kind: "External",
    kubeconfigPath,
    prometheusUrl: value("LLMBRIDGE_PROMETHEUS_URL"),
    prometheusUrlInCluster: value("LLMBRIDGE_PROMETHEUS_URL_IN_CLUSTER"),
    kubectlPath: "kubectl",
    helmPath: "helm",
    images: {
      operator: value("LLMBRIDGE_OPERATOR_IMAGE"),
      bridge: value("LLMBRIDGE_BRIDGE_IMAGE"),
      model: value("LLMBRIDGE_MODEL_IMAGE"),
    },
  };
}
