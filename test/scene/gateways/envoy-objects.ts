import { API, account, deployment, podOf, READ, rightsWithin } from "./objects.ts";

/** The objects of Envoy Gateway, in the namespace whose Gateway it serves: what its chart makes there, without what needs another resource of its own. */

export const GROUP = "gateway.envoyproxy.io";
/** Of the controller; Envoys look for it by this name. */
export const NAME = "envoy-gateway";
/** Of the Envoys of the one Gateway. */
export const ENVOY = "envoy";

const WRITE = [...READ, "create", "patch", "update", "delete", "deletecollection"];
const CONFIG = "envoy-gateway.yaml";

const ownNamespace = {
  name: "ENVOY_GATEWAY_NAMESPACE",
  valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
};

/** Rights, and a Job that makes the certificates by which Envoys and their controller know each other. */
export function preparation(namespace: string, image: string): object[] {
  const container = {
    name: "certificates",
    image,
    args: ["certgen", "--disable-topology-injector"],
    env: [ownNamespace],
  };
  return [
    ...account(namespace, NAME, IN_THE_CLUSTER),
    ...rightsWithin(namespace, NAME, WITHIN),
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: `${NAME}-certificates`, namespace },
      spec: { template: { spec: podOf(NAME, container, { restartPolicy: "Never" }) } },
    },
  ];
}

const IN_THE_CLUSTER = [
  { apiGroups: [""], resources: ["nodes", "namespaces"], verbs: READ },
  { apiGroups: [API], resources: ["gatewayclasses"], verbs: [...READ, "patch", "update"] },
  { apiGroups: [API], resources: ["gatewayclasses/status"], verbs: ["update"] },
];

const KINDS = ["gateways", "httproutes", "grpcroutes", "backendtlspolicies"];

const WITHIN = [
  { apiGroups: [""], resources: ["configmaps", "secrets", "services", "serviceaccounts"], verbs: WRITE },
  { apiGroups: ["apps"], resources: ["deployments", "daemonsets"], verbs: WRITE },
  { apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"], verbs: WRITE },
  { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: WRITE },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
  { apiGroups: [GROUP], resources: ["envoyproxies"], verbs: READ },
  { apiGroups: [GROUP], resources: ["envoyproxies/status"], verbs: ["update"] },
  { apiGroups: [API], resources: [...KINDS, "referencegrants"], verbs: READ },
  { apiGroups: [API], resources: KINDS.map((kind) => `${kind}/status`), verbs: ["update"] },
];

/** The controller and its settings. */
export function controller(namespace: string, image: string, controllerName: string): object[] {
  const settings = {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: "EnvoyGateway",
    gateway: { controllerName },
    provider: {
      type: "Kubernetes",
      kubernetes: {
        watch: { type: "Namespaces", namespaces: [namespace] },
        leaderElection: { disable: true },
        // Runs beside each Envoy and lets it drain.
        shutdownManager: { image },
      },
    },
    proxyTopologyInjector: { disabled: true },
  };
  const container = {
    name: NAME,
    image,
    args: ["server", `--config-path=/config/${CONFIG}`],
    env: [ownNamespace],
    readinessProbe: { httpGet: { path: "/readyz", port: 8081 }, periodSeconds: 1 },
    resources: { requests: { cpu: "100m", memory: "96Mi" } },
    volumeMounts: [
      { name: "config", mountPath: "/config", readOnly: true },
      { name: "certificates", mountPath: "/certs", readOnly: true },
      { name: "modules", mountPath: "/var/lib/eg/wasm" },
    ],
  };
  const volumes = [
    { name: "config", configMap: { name: NAME } },
    { name: "certificates", secret: { secretName: "envoy-gateway" } },
    { name: "modules", emptyDir: {} },
  ];
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: NAME, namespace },
      data: { [CONFIG]: JSON.stringify(settings) },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: NAME, namespace },
      spec: { selector: { app: NAME }, ports: [18000, 18002].map((port) => ({ name: `p${port}`, port })) },
    },
    deployment(namespace, NAME, podOf(NAME, container, { volumes })),
  ];
}

/** How the Envoys of the Gateway are run. */
export function proxies(namespace: string, image: string): object {
  const container = { image, resources: { requests: { cpu: "150m", memory: "96Mi" } } };
  const briefly = { spec: { template: { spec: { terminationGracePeriodSeconds: 2 } } } };
  return {
    apiVersion: `${GROUP}/v1alpha1`,
    kind: "EnvoyProxy",
    metadata: { name: ENVOY, namespace },
    spec: {
      provider: {
        type: "Kubernetes",
        kubernetes: {
          envoyDeployment: {
            name: ENVOY,
            container,
            patch: { type: "StrategicMerge", value: briefly },
          },
          envoyService: { name: ENVOY, type: "ClusterIP" },
        },
      },
    },
  };
}
