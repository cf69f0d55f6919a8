import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ToolPaths } from "../../tools/setup/tools.ts";
import { PAUSE_IMAGE } from "../images/support.ts";
import { type Component, innerProcess, logFile } from "./component.ts";
import { type Lock, withLock } from "./lock.ts";
import type { Authority } from "./pki.ts";
import { type ProcessId, spawnDetached } from "./processes.ts";
import { type ClusterSettings, NODE_NAME } from "./settings.ts";

/** Folders outside the work folder that kubelet insists on; the node sees its own in their place. */
export const FIXED_FOLDERS = ["/var/lib/kubelet", "/var/log/containers"] as const;

const nodeFolder = (settings: ClusterSettings): string => join(settings.workFolder, "node");

/**
 * Makes the node: one process with a pid, a mount and a network namespace of its own. Everything on the node runs in
 * them, so the kernel itself ends every container and removes every mount when this process dies, however it dies.
 */
export function startNode(settings: ClusterSettings, tools: ToolPaths): Promise<ProcessId> {
  return withLock(fixedFoldersLock(settings), () => unshareNode(settings, tools));
}

/** Held from making these folders until the node has mounted over them, and while they are removed. */
export const fixedFoldersLock = ({ cache }: ClusterSettings): Lock => ({
  path: join(cache, "fixed-folders.lock"),
  doing: "starting or removing a node",
});

async function unshareNode(settings: ClusterSettings, tools: ToolPaths): Promise<ProcessId> {
  const folder = nodeFolder(settings);
  for (const fixed of FIXED_FOLDERS) {
    mkdirSync(fixed, { recursive: true });
    mkdirSync(join(folder, "fixed", fixed), { recursive: true });
  }
  const binds = FIXED_FOLDERS.map((fixed) => `mount --bind ${join(folder, "fixed", fixed)} ${fixed}`);
  const script = [
    "set -e",
    "mount --make-rshared /",
    "mount -t tmpfs tmpfs /run",
    ...binds,
    'exec "$0" llmbridge-test-node',
  ];
  const log = logFile(settings.workFolder, "node");
  const outer = await spawnDetached({
    argv: [
      "unshare",
      "--pid",
      "--mount",
      "--net",
      "--fork",
      "--mount-proc",
      "--",
      "sh",
      "-c",
      script.join("\n"),
      tools.pause,
    ],
    owner: settings.workFolder,
    logFile: log,
    cwd: settings.workFolder,
  });
  return innerProcess(outer, "the node", log);
}

export function containerdSocket(settings: ClusterSettings): string {
  return join(nodeFolder(settings), "containerd.sock");
}

export function containerd(settings: ClusterSettings): Component {
  const folder = nodeFolder(settings);
  const config = `version = 2
root = "${folder}/containerd"
state = "${folder}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "${containerdSocket(settings)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "docker.io/${PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`;
  mkdirSync(join(folder, "cni"), { recursive: true });
  writeFileSync(join(folder, "containerd.toml"), config);
  writeFileSync(join(folder, "cni", "10-bridge.conflist"), JSON.stringify(podNetwork(settings)));
  return {
    name: "containerd",
    place: "Node",
    argv: ["containerd", "--config", join(folder, "containerd.toml")],
  };
}

/** Pods hang on a bridge; the machine has a route to them, so nothing is masqueraded. */
function podNetwork(settings: ClusterSettings): object {
  const ipam = {
    type: "host-local",
    dataDir: join(nodeFolder(settings), "addresses"),
    ranges: [[{ subnet: settings.podRange }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const bridge = { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: false, hairpinMode: true, ipam };
  return { cniVersion: "1.0.0", name: "local", plugins: [bridge] };
}

export function kubelet(settings: ClusterSettings, tools: ToolPaths, authority: Authority): Component {
  const folder = nodeFolder(settings);
  const config = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: authority.path("ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: authority.path("kubelet.crt"),
    tlsPrivateKeyFile: authority.path("kubelet.key"),
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${settings.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    containerRuntimeEndpoint: `unix://${containerdSocket(settings)}`,
    podLogsDir: join(folder, "pods"),
    clusterDomain: "cluster.local",
    clusterDNS: [settings.dnsAddress],
    resolvConf: join(folder, "resolv.conf"),
    maxPods: 200,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    serializeImagePulls: false,
    // Images come from this machine only, so one that is collected could not come back.
    imageMinimumGCAge: "24h",
    imageGCHighThresholdPercent: 100,
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
  };
  writeFileSync(join(folder, "resolv.conf"), "");
  writeFileSync(join(folder, "kubelet.json"), JSON.stringify(config));
  return {
    name: "kubelet",
    place: "Node",
    argv: [
      tools.kubestack,
      "kubelet",
      `--config=${join(folder, "kubelet.json")}`,
      `--kubeconfig=${authority.path("kubelet.conf")}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${settings.nodeAddress}`,
      `--root-dir=${join(folder, "kubelet")}`,
      `--cert-dir=${join(folder, "kubelet-pki")}`,
    ],
  };
}

export function kubeProxy(settings: ClusterSettings, tools: ToolPaths, authority: Authority): Component {
  const path = join(nodeFolder(settings), "kube-proxy.json");
  const config = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    clusterCIDR: settings.podRange,
    clientConnection: { kubeconfig: authority.path("kube-proxy.conf") },
    conntrack: { maxPerCore: 0 },
    hostnameOverride: NODE_NAME,
    nftables: { minSyncPeriod: "100ms" },
  };
  mkdirSync(nodeFolder(settings), { recursive: true });
  writeFileSync(path, JSON.stringify(config));
  return { name: "kube-proxy", place: "Node", argv: [tools.kubestack, "kube-proxy", `--config=${path}`] };
}
