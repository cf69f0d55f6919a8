import { COREDNS_IMAGE } from "../images/support.ts";
import type { ClusterSettings } from "./settings.ts";

/** Where pods find Prometheus: a Service whose only endpoint is the machine. */
export const PROMETHEUS_SERVICE = { namespace: "monitoring", name: "prometheus", port: 9090 } as const;

/** What runs in every cluster: CoreDNS, what Prometheus may read, and Prometheus' Service. */
export function addonObjects(settings: ClusterSettings): object[] {
  return [...coredns(settings), ...prometheusAccess(), ...prometheusService(settings)];
}

const system = (name: string): object => ({ name, namespace: "kube-system" });

function coredns(settings: ClusterSettings): object[] {
  const labels = { "k8s-app": "kube-dns" };
  const corefile = `.:1053 {
  errors
  health
  ready
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    ttl 5
  }
  cache 5
}
`;
  const container = {
    name: "coredns",
    image: COREDNS_IMAGE,
    imagePullPolicy: "Never",
    args: ["-conf", "/etc/coredns/Corefile"],
    // Port 53 is refused to a user who is not root, so the Service maps it.
    ports: [
      { containerPort: 1053, name: "dns", protocol: "UDP" },
      { containerPort: 1053, name: "dns-tcp", protocol: "TCP" },
    ],
    readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "170Mi" } },
    securityContext: {
      runAsUser: 65532,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
  };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: system("coredns") },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "system:coredns" },
      rules: [
        { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
    binding("system:coredns", { kind: "ServiceAccount", ...system("coredns") }),
    { apiVersion: "v1", kind: "ConfigMap", metadata: system("coredns"), data: { Corefile: corefile } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { ...system("coredns"), labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: "coredns",
            dnsPolicy: "Default",
            terminationGracePeriodSeconds: 1,
            securityContext: { seccompProfile: { type: "RuntimeDefault" } },
            containers: [container],
            volumes: [{ name: "config", configMap: { name: "coredns" } }],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...system("kube-dns"), labels },
      spec: {
        selector: labels,
        clusterIP: settings.dnsAddress,
        ports: [
          { name: "dns", port: 53, targetPort: 1053, protocol: "UDP" },
          { name: "dns-tcp", port: 53, targetPort: 1053, protocol: "TCP" },
        ],
      },
    },
  ];
}

function prometheusAccess(): object[] {
  const name = "llmbridge-test-prometheus";
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules: [{ apiGroups: [""], resources: ["pods", "namespaces"], verbs: ["get", "list", "watch"] }],
    },
    binding(name, { kind: "User", apiGroup: "rbac.authorization.k8s.io", name }),
  ];
}

function prometheusService(settings: ClusterSettings): object[] {
  const { namespace, name, port } = PROMETHEUS_SERVICE;
  const ports = [{ name: "http", port, targetPort: settings.ports.prometheus, protocol: "TCP" }];
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { ports } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: `${name}-machine`, namespace, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [settings.hostAddress], conditions: { ready: true } }],
      ports: [{ name: "http", port: settings.ports.prometheus, protocol: "TCP" }],
    },
  ];
}

function binding(role: string, subject: object): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: role },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [subject],
  };
}
