import { resolve } from "node:path";
import type { KubeClient } from "../../operator/kube/client.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { cacheKey, fileParts } from "../../tools/setup/cache.ts";
import { run } from "../../tools/setup/command.ts";
import type { Cluster, LocalCluster } from "../cluster/cluster.ts";
import { withLock } from "../cluster/lock.ts";
import type { BuiltImage } from "../images/build-image.ts";

/** Where the operator lives on the test cluster. */
export const OPERATOR_NAMESPACE = "llmbridge-system";
export const OPERATOR_RELEASE = "llmbridge-operator";
/** Name of the Secrets of which bridges on the test cluster may want canaries. */
export const CANARY_SECRET = "upstream-key";
const CHART = resolve(import.meta.dirname, "../../charts/llmbridge-operator");

export interface InstallOptions {
  readonly tag?: string;
  readonly replicas?: number;
  /** Identifies the content behind the tag: the same tag with another content restarts the operator. Remembered for later calls. */
  readonly imageId?: string;
}

/** Annotation of the operator's pods. */
const IMAGE_ID = "llmbridge.dev/image-id";

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
    `podAnnotations=${JSON.stringify({ [IMAGE_ID]: imageId })}`,
    "--set-json",
    `settings.sources=${JSON.stringify(source)}`,
    "--set-json",
    `settings.httpRoutes=${JSON.stringify({ mirroring: "Allowed" })}`,
    "--set-json",
    "settings.gateJobs={}",
    "--set-json",
    `canarySecrets=${JSON.stringify([CANARY_SECRET])}`,
    "--wait",
    "--timeout",
    "120s",
  ]);
}

/**
 * Installs the operator where these very images with this very chart are not installed yet. Suites that share a cluster open their
 * scenes side by side, and helm refuses a second change while it makes one.
 */
export async function ensureOperator(
  cluster: LocalCluster,
  client: KubeClient,
  images: readonly BuiltImage[],
): Promise<void> {
  const imageId = cacheKey([...images.map(({ id }) => id), ...fileParts(CHART, ["."])]);
  lastImageId = imageId;
  const lock = { path: `${cluster.workFolder}.operator.lock`, doing: "installing the operator" };
  await withLock(lock, async () => {
    if (!(await isInstalled(client, imageId))) await installOperator(cluster, { imageId });
  });
}

/** One replica of the present version that is ready, and nothing else. */
async function isInstalled(client: KubeClient, imageId: string): Promise<boolean> {
  const options = { namespace: OPERATOR_NAMESPACE };
  const found = await client.list<OperatorDeployment>(resources.deployments, options);
  return found.some(
    ({ spec, status, metadata }) =>
      metadata.name === OPERATOR_RELEASE &&
      spec.replicas === 1 &&
      status?.observedGeneration === metadata.generation &&
      status?.readyReplicas === 1 &&
      status.replicas === 1 &&
      spec.template.metadata.annotations?.[IMAGE_ID] === imageId &&
      spec.template.spec.containers.some(({ image }) => image.endsWith(":dev")),
  );
}

interface OperatorDeployment extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly { readonly image: string }[] };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
  };
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
