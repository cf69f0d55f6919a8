import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ToolPaths } from "../../tools/setup/tools.ts";
import type { Component } from "./component.ts";
import type { Authority } from "./pki.ts";

/** What etcd and an API server need to know; the cluster and the suites' own API servers both give it. */
export interface ApiServerSpec {
  readonly folder: string;
  readonly authority: Authority;
  readonly tools: ToolPaths;
  readonly address: string;
  readonly port: number;
  readonly etcdAddress: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly serviceRange: string;
  readonly extraFlags?: readonly string[];
}

export function auditLogPath(folder: string): string {
  return join(folder, "audit", "audit.log");
}

/** etcd without fsync: what it holds ends with the cluster. */
export function etcd(spec: ApiServerSpec): Component {
  const client = `http://${spec.etcdAddress}:${spec.etcdPort}`;
  const peer = `http://${spec.etcdAddress}:${spec.etcdPeerPort}`;
  return {
    name: "etcd",
    place: "Host",
    argv: [
      ...([spec.tools.kubestack, "etcd", "--data-dir", join(spec.folder, "etcd")] as const),
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...[
        "--listen-peer-urls",
        peer,
        "--initial-advertise-peer-urls",
        peer,
        "--initial-cluster",
        `default=${peer}`,
      ],
      ...["--unsafe-no-fsync", "--log-level", "warn"],
    ],
  };
}

export function apiServer(spec: ApiServerSpec): Component {
  const pki = (file: string): string => spec.authority.path(file);
  return {
    name: "kube-apiserver",
    place: "Host",
    argv: [
      spec.tools.kubestack,
      "kube-apiserver",
      `--etcd-servers=http://${spec.etcdAddress}:${spec.etcdPort}`,
      `--bind-address=${spec.address}`,
      `--advertise-address=${spec.address}`,
      `--secure-port=${spec.port}`,
      `--cert-dir=${join(spec.folder, "apiserver")}`,
      `--tls-cert-file=${pki("apiserver.crt")}`,
      `--tls-private-key-file=${pki("apiserver.key")}`,
      `--client-ca-file=${pki("ca.crt")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${pki("tokens.pub")}`,
      `--service-account-signing-key-file=${pki("tokens.key")}`,
      `--service-cluster-ip-range=${spec.serviceRange}`,
      "--authorization-mode=Node,RBAC",
      "--allow-privileged=true",
      `--audit-policy-file=${join(spec.folder, "audit", "policy.json")}`,
      `--audit-log-path=${auditLogPath(spec.folder)}`,
      "--audit-log-maxsize=512",
      "--audit-log-maxbackup=1",
      "--shutdown-delay-duration=0s",
      ...(spec.extraFlags ?? []),
    ],
  };
}

/** kubelet's half of the API server: who it is to the node. */
export function kubeletClientFlags(authority: Authority): string[] {
  return [
    `--kubelet-client-certificate=${authority.path("apiserver-kubelet.crt")}`,
    `--kubelet-client-key=${authority.path("apiserver-kubelet.key")}`,
    `--kubelet-certificate-authority=${authority.path("ca.crt")}`,
    "--kubelet-preferred-address-types=InternalIP",
  ];
}

/** A controller manager that has nobody to take turns with. Default of its flags: every controller. */
export function controllerManager(
  tools: ToolPaths,
  kubeconfigPath: string,
  flags: readonly string[],
): Component {
  return {
    name: "kube-controller-manager",
    place: "Host",
    argv: [
      tools.kubestack,
      "kube-controller-manager",
      `--kubeconfig=${kubeconfigPath}`,
      "--leader-elect=false",
      "--secure-port=0",
      "--kube-api-qps=200",
      "--kube-api-burst=400",
      ...flags,
    ],
  };
}

/** What lets a controller manager run a whole cluster: identities of its controllers' own, tokens and addresses of pods. */
export function wholeClusterFlags(authority: Authority, podRange: string): string[] {
  return [
    `--service-account-private-key-file=${authority.path("tokens.key")}`,
    `--root-ca-file=${authority.path("ca.crt")}`,
    "--use-service-account-credentials=true",
    "--allocate-node-cidrs=false",
    `--cluster-cidr=${podRange}`,
  ];
}

export function scheduler(tools: ToolPaths, kubeconfigPath: string): Component {
  const kubeconfig = `--kubeconfig=${kubeconfigPath}`;
  return {
    name: "kube-scheduler",
    place: "Host",
    argv: [tools.kubestack, "kube-scheduler", kubeconfig, "--leader-elect=false", "--secure-port=0"],
  };
}

/**
 * Who did what, one line per finished request. The cluster's own parts are left out: they would be most of the lines,
 * and tests count what ours send.
 */
export function writeAuditPolicy(folder: string): void {
  mkdirSync(join(folder, "audit"), { recursive: true });
  const policy = {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived", "ResponseStarted"],
    rules: [
      { level: "None", userGroups: ["system:nodes", "system:serviceaccounts:kube-system"] },
      {
        level: "None",
        users: [
          "system:apiserver",
          "system:kube-controller-manager",
          "system:kube-scheduler",
          "system:kube-proxy",
          "llmbridge-test-prometheus",
        ],
      },
      { level: "Metadata" },
    ],
  };
  writeFileSync(join(folder, "audit", "policy.json"), JSON.stringify(policy));
}
