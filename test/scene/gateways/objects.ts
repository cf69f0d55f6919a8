import type { Kubectl } from "../kubectl.ts";
import type { Scene } from "../scene.ts";

/** The Gateway of a scene, in its namespace, with one listener. */
export const GATEWAY = { name: "gw", sectionName: "http" };

/** An implementation of the Gateway API that a scene may run with. */
export interface GatewayImplementation {
  readonly controllerName: string;
  /** Service of the namespace by which clients come in, at port 80. */
  readonly service: string;
  /** Makes all that a scene's Gateway needs, and the Gateway. The API is served. */
  deploy(scene: Scene, kubectl: Kubectl): Promise<void>;
}

export const API = "gateway.networking.k8s.io";
export const READ = ["get", "list", "watch"];
const RBAC = "rbac.authorization.k8s.io";

/** Name of what a scene's gateway has outside of its namespace. */
export const nameOf = (namespace: string): string => `gateway-${namespace}`;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** A gateway's ServiceAccount, and its rights in the cluster. */
export function account(namespace: string, account: string, rules: readonly Rule[]): object[] {
  const name = nameOf(namespace);
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account, namespace } },
    { apiVersion: `${RBAC}/v1`, kind: "ClusterRole", metadata: { name }, rules },
    {
      apiVersion: `${RBAC}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name: account, namespace }],
    },
  ];
}

/** Further rights of that account, in its namespace alone. */
export function rightsWithin(namespace: string, account: string, rules: readonly Rule[]): object[] {
  const metadata = { name: account, namespace };
  return [
    { apiVersion: `${RBAC}/v1`, kind: "Role", metadata, rules },
    {
      apiVersion: `${RBAC}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: RBAC, kind: "Role", name: account },
      subjects: [{ kind: "ServiceAccount", name: account, namespace }],
    },
  ];
}

/** What the pods of a gateway are made of beside their containers: no rights on the node. */
export function podOf(account: string, container: object, more: object = {}): object {
  const strict = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  };
  return {
    serviceAccountName: account,
    terminationGracePeriodSeconds: 1,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [{ imagePullPolicy: "Never", securityContext: strict, ...container }],
    ...more,
  };
}

export function deployment(namespace: string, name: string, pod: object): object {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod },
    },
  };
}

/** The class of a scene's Gateway, and the Gateway, which listens at `port`. */
export function gateway(
  namespace: string,
  controllerName: string,
  port: number,
  parametersRef?: object,
): object[] {
  const name = nameOf(namespace);
  const listener = {
    name: GATEWAY.sectionName,
    protocol: "HTTP",
    port,
    allowedRoutes: { namespaces: { from: "Same" } },
  };
  return [
    {
      apiVersion: `${API}/v1`,
      kind: "GatewayClass",
      metadata: { name },
      spec: { controllerName, ...(parametersRef ? { parametersRef } : {}) },
    },
    {
      apiVersion: `${API}/v1`,
      kind: "Gateway",
      metadata: { name: GATEWAY.name, namespace },
      spec: { gatewayClassName: name, listeners: [listener] },
    },
  ];
}
