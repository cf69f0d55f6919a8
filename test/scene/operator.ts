import { resolve } from "node:path";
import { run } from "../../tools/setup/command.ts";
import type { Cluster } from "../cluster/cluster.ts";

/** Where the operator lives on the test cluster. */
export const OPERATOR_NAMESPACE = "llmbridge-system";
export const OPERATOR_RELEASE = "llmbridge-operator";
const CHART = resolve(import.meta.dirname, "../../charts/llmbridge-operator");

export interface InstallOptions {
  readonly tag?: string;
  readonly replicas?: number;
  /** Identifies the content behind the tag: the same tag with another content restarts the operator. Remembered for later calls. */
  readonly imageId?: string;
}

let lastImageId = "";

/** Installs or upgrades the operator by the chart with real helm, and waits until it is ready. */
export async function installOperator(cluster: Cluster, options: InstallOptions = {}): Promise<void> {
  const { tag = "dev", replicas = 1, imageId = lastImageId } = options;
  lastImageId = imageId;
  const source = [{ name: "default", url: cluster.prometheusUrlInCluster, scrapeInterval: "1s" }];
  await run([
    cluster.helmPath,
    "upgrade",
    "--install",
    OPERATOR_RELEASE,
    CHART,
    "--namespace",
    OPERATOR_NAMESPACE,
    "--create-namespace",
    "--kubeconfig",
    cluster.kubeconfigPath,
    "--set",
    `${imageValues(cluster, tag)},replicas=${replicas}`,
    "--set-json",
    `podAnnotations=${JSON.stringify({ "llmbridge.dev/image-id": imageId })}`,
    "--set-json",
    `settings.sources=${JSON.stringify(source)}`,
    "--wait",
    "--timeout",
    "120s",
  ]);
}

/** Our own cluster has the image on its node; somebody else's pulls it. */
function imageValues(cluster: Cluster, tag: string): string {
  if (cluster.kind === "Local") return `image.tag=${tag},image.pullPolicy=Never`;
  const { operator } = cluster.images;
  const colon = operator.lastIndexOf(":");
  const hasTag = colon > operator.lastIndexOf("/");
  return hasTag
    ? `image.repository=${operator.slice(0, colon)},image.tag=${operator.slice(colon + 1)}`
    : `image.repository=${operator},image.tag=latest`;
}

export async function uninstallOperator(cluster: Cluster): Promise<void> {
  const at = ["--namespace", OPERATOR_NAMESPACE, "--kubeconfig", cluster.kubeconfigPath];
  await run([cluster.helmPath, "uninstall", OPERATOR_RELEASE, ...at, "--ignore-not-found", "--wait"]);
}
