import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createClient, type KubeClient } from "../../operator/kube/client.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import type { Resource } from "../../operator/kube/resources.ts";
import { createTransport } from "../../operator/kube/transport.ts";
import { apiServerUp } from "../../test/cluster/api-server.ts";
import { startComponent } from "../../test/cluster/component.ts";
import { Authority } from "../../test/cluster/pki.ts";
import { type BridgeApi, bridgeApi } from "../../test/conformance/bridge-api.ts";
import { until } from "../../test/kube/until.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import type { Progress } from "../../tools/setup/progress.ts";
import { buildTools, type ToolPaths } from "../../tools/setup/tools.ts";

/** A control plane with real controllers and scheduler, whose nodes are played by kwok. */
export interface Bed {
  readonly tools: ToolPaths;
  readonly client: KubeClient;
  readonly api: BridgeApi;
  readonly auditLogPath: string;
  /** A kubeconfig of a user of its own, with every right. */
  userConfig(name: string): Promise<string>;
  down(): Promise<void>;
}

export const EDITOR = "llmbridge-bench";
const NODES: Resource = { group: "", version: "v1", plural: "nodes", kind: "Node", namespaced: false };
const NODE_COUNT = 20;

/** Whom the audit log tells of: the contestants and who edits. All others would be most of it. */
const AUDIT = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived", "ResponseStarted"],
  rules: [{ level: "Metadata", users: ["llmbridge", "argo", "editor"] }, { level: "None" }],
};

/** Of endpoints there is none: nobody here reads them, and they would be a third of all that the API server writes. */
const CONTROLLERS = [
  "node-lifecycle-controller",
  "deployment-controller",
  "replicaset-controller",
  "garbage-collector-controller",
  "namespace-controller",
  "disruption-controller",
  "serviceaccount-controller",
  "root-ca-certificate-publisher-controller",
];

/** Starts it; ready in about ten seconds once its tools are built. */
export async function openBed(progress: Progress): Promise<Bed> {
  const tools = await buildTools(cacheRoot(process.env), progress, ["kubestack", "kwok", "argo-rollouts"]);
  const folder = mkdtempSync(join(tmpdir(), "llmbridge-bench-"));
  writeFileSync(join(folder, "audit.json"), JSON.stringify(AUDIT));
  const server = await apiServerUp({
    progress,
    extraFlags: [`--audit-policy-file=${join(folder, "audit.json")}`, "--audit-log-maxsize=8000"],
  });
  // Whatever ends the API server ends what shares its folder.
  const owner = dirname(server.kubeconfigPath);
  const authority = new Authority(join(owner, "pki"));
  const userConfig = async (name: string): Promise<string> => {
    const path = join(folder, `${name}.conf`);
    await authority.issue({ name: `bench-${name}`, user: name, group: "system:masters" });
    authority.writeKubeconfig(path, `bench-${name}`, server.url);
    return path;
  };
  const start = (name: string, ...argv: [string, ...string[]]) =>
    startComponent({ name, place: "Host", argv }, { owner });
  const admin = server.kubeconfigPath;
  await start(
    "kube-controller-manager",
    tools.kubestack,
    "kube-controller-manager",
    `--kubeconfig=${admin}`,
    `--controllers=${CONTROLLERS.join(",")}`,
    `--service-account-private-key-file=${authority.path("tokens.key")}`,
    `--root-ca-file=${authority.path("ca.crt")}`,
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
    "--concurrent-deployment-syncs=20",
    "--concurrent-replicaset-syncs=20",
  );
  writeFileSync(join(folder, "scheduler.json"), JSON.stringify(schedulerConfig(admin)));
  const schedulerFlags = [`--config=${join(folder, "scheduler.json")}`, "--secure-port=0"] as const;
  await start("kube-scheduler", tools.kubestack, "kube-scheduler", ...schedulerFlags);
  await start("kwok", tools.kwok, ...kwokFlags(tools.kwok, folder, admin));

  const api = bridgeApi(admin);
  const transport = createTransport({
    kubeConfig: loadKubeConfig({ kubeconfig: await userConfig("editor") }),
    userAgent: EDITOR,
  });
  const client = createClient(transport);
  await addNodes(client);
  await api.installCrd();
  return {
    tools,
    client,
    api,
    auditLogPath: server.auditLogPath,
    userConfig,
    async down() {
      await transport.close();
      await api.close();
      await server.down();
      rmSync(folder, { recursive: true });
    },
  };
}

function schedulerConfig(kubeconfig: string): object {
  return {
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    clientConnection: { kubeconfig, qps: 500, burst: 1000 },
    leaderElection: { leaderElect: false },
  };
}

/** kwok's own stages of pods and nodes that are ready at once. */
function kwokFlags(kwok: string, folder: string, kubeconfig: string): string[] {
  const stages = join(folder, "stages");
  mkdirSync(stages);
  for (const kind of ["pod", "node"]) {
    const from = join(dirname(kwok), "files", kind, "fast");
    for (const file of readdirSync(from).filter((one) => one.startsWith(`${kind}-`)))
      cpSync(join(from, file), join(stages, file));
  }
  return [
    `--kubeconfig=${kubeconfig}`,
    "--manage-all-nodes=true",
    "--node-lease-duration-seconds=40",
    "--cidr=10.200.0.0/16",
    "--node-ip=10.201.0.1",
    ...readdirSync(stages).map((file) => `--config=${join(stages, file)}`),
  ];
}

interface Node extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function addNodes(client: KubeClient): Promise<void> {
  for (let index = 0; index < NODE_COUNT; index++) {
    const name = `fake-${index}`;
    const labels = { "kubernetes.io/hostname": name };
    const annotations = { "kwok.x-k8s.io/node": "fake" };
    await client.create(NODES, {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels, annotations },
    });
  }
  await until("every node Ready", async () => {
    const nodes = await client.list<Node>(NODES);
    return nodes.every((node) =>
      node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
    );
  });
}
