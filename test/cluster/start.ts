import { Resolver } from "node:dns/promises";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ToolPaths } from "../../tools/setup/tools.ts";
import type { BuiltImage } from "../images/build-image.ts";
import { addonObjects } from "./addons.ts";
import { type ApiClient, apiClient } from "./api-client.ts";
import { createCgroups } from "./cgroups.ts";
import { writeClientFolder } from "./client-folder.ts";
import { type Component, demandAlive, logFile, type Running, startComponent } from "./component.ts";
import * as plane from "./control-plane.ts";
import { importImage } from "./images.ts";
import { connectNode } from "./network.ts";
import { containerd, containerdSocket, kubelet, kubeProxy, startNode } from "./node.ts";
import { Authority } from "./pki.ts";
import { prometheus } from "./prometheus.ts";
import { type ClusterSettings, NODE_NAME } from "./settings.ts";
import { socketAnswers } from "./sockets.ts";
import type { ClusterState } from "./state.ts";
import { until } from "./until.ts";

export function kubeconfigPath(settings: ClusterSettings): string {
  return join(settings.workFolder, "kubeconfig");
}

/** Starts everything and returns when pods can run, names resolve and Prometheus answers. */
export async function startCluster(
  settings: ClusterSettings,
  tools: ToolPaths,
  images: readonly BuiltImage[],
  inputs: string,
): Promise<ClusterState> {
  const { workFolder, ports } = settings;
  const authority = new Authority(join(workFolder, "pki"));
  for (const folder of [authority.folder, dirname(logFile(workFolder, "x"))])
    mkdirSync(folder, { recursive: true });
  createCgroups(settings.cgroup);

  const [node] = await Promise.all([startNode(settings, tools), makeCertificates(settings, authority)]);
  await connectNode(settings, node);
  const kubeconfig = kubeconfigPath(settings);
  writeClientFolder(workFolder, tools, kubeconfig);
  plane.writeAuditPolicy(workFolder);

  const running: Record<string, Running> = {};
  const start = async (component: Component): Promise<Running> => {
    const started = await startComponent(component, { owner: workFolder, node });
    running[component.name] = started;
    return started;
  };
  const spec: plane.ApiServerSpec = {
    folder: workFolder,
    authority,
    tools,
    address: settings.hostAddress,
    port: ports.api,
    etcdAddress: settings.loopback,
    etcdPort: ports.etcd,
    etcdPeerPort: ports.etcdPeer,
    serviceRange: settings.serviceRange,
    extraFlags: plane.kubeletClientFlags(authority),
  };
  const client = apiClient(kubeconfig);
  try {
    const controlPlane = async (): Promise<void> => {
      await start(plane.etcd(spec));
      const server = await start(plane.apiServer(spec));
      await apiReady(client, () => demandAlive(server, workFolder));
    };
    const runtime = async (): Promise<void> => {
      const daemon = await start(containerd(settings));
      await socketAnswers(containerdSocket(settings), () => demandAlive(daemon, workFolder));
      for (const image of images) await importImage(settings, image);
    };
    const serving = controlPlane();
    const afterServing = serving.then(async () => {
      const managing = plane.wholeClusterFlags(authority, settings.podRange);
      const managersConfig = authority.path("kube-controller-manager.conf");
      await start(plane.controllerManager(tools, managersConfig, managing));
      await start(plane.scheduler(tools, authority.path("kube-scheduler.conf")));
      await start(kubeProxy(settings, tools, authority));
      await start(prometheus(settings, tools, authority.path("prometheus.conf")));
      for (const object of addonObjects(settings)) await client.create(object);
    });
    const nodeJoined = Promise.all([runtime(), serving]).then(async () => {
      const agent = await start(kubelet(settings, tools, authority));
      await nodeReady(client, () => demandAlive(agent, workFolder));
    });
    await Promise.all([afterServing, nodeJoined]);
    await Promise.all([namesResolve(settings), prometheusReady(settings)]);
  } finally {
    await client.close();
  }
  return { inputs, startedAtMs: Date.now(), node, running, stopped: [] };
}

async function makeCertificates(settings: ClusterSettings, authority: Authority): Promise<void> {
  await authority.create();
  const server = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"].map(
    (name) => `DNS:${name}`,
  );
  await Promise.all([
    authority.createTokenKeys(),
    authority.issue({
      name: "apiserver",
      user: "kube-apiserver",
      addresses: [...server, `IP:${settings.hostAddress}`, `IP:${settings.kubernetesServiceAddress}`],
    }),
    authority.issue({
      name: "apiserver-kubelet",
      user: "kube-apiserver-kubelet-client",
      group: "system:masters",
    }),
    authority.issue({ name: "admin", user: "admin", group: "system:masters" }),
    authority.issue({ name: "kube-controller-manager", user: "system:kube-controller-manager" }),
    authority.issue({ name: "kube-scheduler", user: "system:kube-scheduler" }),
    authority.issue({ name: "kube-proxy", user: "system:kube-proxy" }),
    authority.issue({ name: "prometheus", user: "llmbridge-test-prometheus" }),
    authority.issue({
      name: "kubelet",
      user: `system:node:${NODE_NAME}`,
      group: "system:nodes",
      addresses: [`DNS:${NODE_NAME}`, `IP:${settings.nodeAddress}`],
    }),
  ]);
  const url = `https://${settings.hostAddress}:${settings.ports.api}`;
  authority.writeKubeconfig(kubeconfigPath(settings), "admin", url);
  for (const name of ["kube-controller-manager", "kube-scheduler", "kube-proxy", "prometheus", "kubelet"]) {
    authority.writeKubeconfig(authority.path(`${name}.conf`), name, url);
  }
}

export async function apiReady(client: ApiClient, demand: () => void): Promise<void> {
  await until("the API server to be ready", 60_000, async () => {
    demand();
    await client.get("/readyz");
    return undefined;
  });
}

interface NodeObject {
  readonly status?: { readonly conditions?: readonly { type: string; status: string; message: string }[] };
}

export async function nodeReady(client: ApiClient, demand: () => void): Promise<void> {
  await until("the node to be Ready", 60_000, async () => {
    demand();
    const node = (await client.get(`/api/v1/nodes/${NODE_NAME}`)) as NodeObject;
    const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
    return ready?.status === "True" ? undefined : (ready?.message ?? "no Ready condition yet");
  });
}

/** DNS through the Service address: proves kube-proxy, the pod network and CoreDNS at once. */
export async function namesResolve(settings: ClusterSettings): Promise<void> {
  const resolver = new Resolver({ timeout: 250, tries: 1 });
  resolver.setServers([settings.dnsAddress]);
  await until("cluster DNS to answer", 60_000, async () => {
    const [address] = await resolver.resolve4("kubernetes.default.svc.cluster.local");
    return address === settings.kubernetesServiceAddress ? undefined : `it answered ${address}`;
  });
}

export async function prometheusReady(settings: ClusterSettings): Promise<void> {
  await until("Prometheus to be ready", 30_000, async () => {
    const answer = await fetch(`http://${settings.hostAddress}:${settings.ports.prometheus}/-/ready`);
    return answer.ok ? undefined : `it answered ${answer.status}`;
  });
}
