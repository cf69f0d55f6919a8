import { didYouMean } from "../api/v1alpha1/did-you-mean.ts";
import { GROUP, KIND, PLURAL, VERSION } from "../api/v1alpha1/llmbridge.ts";
import { type CallOptions, createClient, type KubeClient } from "../kube/client.ts";
import { isForbidden, isNotFound, isUnauthorized, TransportError } from "../kube/errors.ts";
import { type KubeConfig, loadKubeConfig } from "../kube/kubeconfig.ts";
import type { KubeObject } from "../kube/object.ts";
import type { Resource } from "../kube/resources.ts";
import { createTransport } from "../kube/transport.ts";
import { type BridgeView, bridgeView } from "./bridge-view.ts";
import { CliFailure } from "./failure.ts";
import { useProxyOf } from "./proxy.ts";

export const BRIDGES: Resource = {
  group: GROUP,
  version: VERSION,
  plural: PLURAL,
  kind: KIND,
  namespaced: true,
};

/** The API server and namespace that a command line speaks of. */
export interface Connection {
  readonly client: KubeClient;
  readonly namespace: string;
  close(): Promise<void>;
}

/** What says which cluster is spoken of. */
export interface Place {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function connect(place: Place): Connection {
  const kubeConfig = loadKubeConfig({ ...place, prefer: "Files" });
  useProxyOf(place.environment, kubeConfig);
  const transport = createTransport({ kubeConfig, userAgent: "kubectl-llmbridge", deadlineMs: 15_000 });
  return {
    client: createClient(transport),
    namespace: place.namespace ?? namespaceIn(kubeConfig),
    close: () => transport.close(),
  };
}

/**
 * The namespace that `connect` would speak of, for commands that need no cluster.
 * @throws Error where a kubeconfig or context is named and cannot be used
 */
export function namespaceOf(place: Place): string {
  if (place.namespace !== undefined) return place.namespace;
  try {
    return namespaceIn(loadKubeConfig({ ...place, prefer: "Files" }));
  } catch (error) {
    if (place.kubeconfig !== undefined || place.context !== undefined) throw error;
    return DEFAULT_NAMESPACE;
  }
}

const DEFAULT_NAMESPACE = "default";

const namespaceIn = (kubeConfig: KubeConfig): string =>
  kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace || DEFAULT_NAMESPACE;

/**
 * Reads one bridge as it is stored.
 * @throws CliFailure when there is none
 */
export async function readStored(
  { client, namespace }: Connection,
  name: string,
  call: CallOptions = {},
): Promise<KubeObject> {
  try {
    return await client.get<KubeObject>(BRIDGES, namespace, name, call);
  } catch (error) {
    throw isNotFound(error) ? new CliFailure(await whyNotFound({ client, namespace }, name)) : error;
  }
}

/**
 * Reads one bridge.
 * @throws CliFailure when there is none
 */
export async function readBridge(
  connection: Connection,
  name: string,
  call: CallOptions = {},
): Promise<BridgeView> {
  return bridgeView(await readStored(connection, name, call));
}

/** Both a missing bridge and a missing CustomResourceDefinition are answered with 404. */
export async function whyNotFound(
  { client, namespace }: Pick<Connection, "client" | "namespace">,
  name: string,
): Promise<string> {
  const missing = `there is no bridge ${name} in namespace ${namespace}`;
  try {
    const { items } = await client.listPage(BRIDGES, { namespace, limit: 500 });
    const near = didYouMean(
      name,
      items.map(({ metadata }) => metadata.name),
    );
    return near ? `${missing}; did you mean ${near}?` : `${missing}; \`kubectl llmbridge get -A\` lists all.`;
  } catch (error) {
    return isNotFound(error) ? NOT_INSTALLED : `${missing}.`;
  }
}

const NOT_INSTALLED = "this cluster does not know LLMBridge; install the operator's chart first.";

/** The sentence for what the API server or the network answered. */
export function sentenceOf(error: unknown): string {
  if (isNotFound(error)) return NOT_INSTALLED;
  if (isUnauthorized(error))
    return "the API server does not accept these credentials; log in again or choose another --context.";
  if (isForbidden(error))
    return `you may not do this: ${withoutPolicy(error.status.message ?? error.message)}`;
  if (error instanceof TransportError)
    return `the API server does not answer (${error.message}); is the cluster up, and the --context right?`;
  return error instanceof Error ? error.message : String(error);
}

/** The API server puts the policy's name before its sentence, which has all that a person needs. */
const withoutPolicy = (message: string): string =>
  message.replace(/^.*ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: /s, "");
