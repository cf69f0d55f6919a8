import { createClient, type KubeClient } from "../../operator/kube/client.ts";
import { createInformer } from "../../operator/kube/informer.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import { resources } from "../../operator/kube/resources.ts";
import { createTransport } from "../../operator/kube/transport.ts";
import { type BridgeApi, bridgeApi } from "../conformance/bridge-api.ts";
import { type PlayedPod, playKubelet } from "./kubelet.ts";
import { type LentServer, lentServer } from "./lent.ts";
import { type PlaneOptions, startPlaneProcesses } from "./plane-processes.ts";

/**
 * The real API server with the real controllers of Deployments, ReplicaSets, Jobs and garbage, and no machine behind it: pods are said to be
 * Ready as soon as they exist, or as soon as they have a node. All that an operator sees of a cluster, ready in five seconds.
 */
export interface ControlPlane {
  readonly server: LentServer;
  readonly api: BridgeApi;
  readonly client: KubeClient;
  down(): Promise<void>;
}

export interface ControlPlaneOptions extends PlaneOptions {
  /** Whether nobody else has used or will use it. Default: where other options are given. */
  readonly isOwn?: boolean;
}

/** Unless it is one's own, earlier suites of the run may have used it: of what is not in a namespace of one's own, nothing is certain. */
export async function startControlPlane({
  isOwn,
  ...options
}: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { hasNodes = false } = options;
  const lends = !(isOwn ?? Object.keys(options).length > 0);
  const lent = lends ? await lentServer((owner) => startPlaneProcesses({}, owner)) : undefined;
  const { server, end } = lent ? { server: lent, end: undefined } : await ownServer(options);
  const { kubeconfigPath } = server;
  const api = bridgeApi(kubeconfigPath);
  const transport = createTransport({
    kubeConfig: loadKubeConfig({ kubeconfig: kubeconfigPath }),
    userAgent: "llmbridge-test",
  });
  const client = createClient(transport);
  const stop = new AbortController();
  const pods = createInformer<PlayedPod>({ client, resource: resources.pods });
  pods.onChange(({ kind, object }) => {
    if (kind === "deleted") return;
    // A pod that is gone by now needs nothing.
    playKubelet(api, object, { hasNodes }).catch(() => undefined);
  });
  const watching = pods.start(stop.signal);
  return {
    server,
    api,
    client,
    async down() {
      stop.abort();
      await watching;
      await transport.close();
      await api.close();
      await end?.();
    },
  };
}

async function ownServer(options: PlaneOptions) {
  const server = await startPlaneProcesses(options);
  return { server, end: () => server.down() };
}
