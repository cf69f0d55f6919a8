import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROUTES } from "../../contract/endpoints.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { until } from "../cluster/until.ts";
import { gatewayImage } from "../images/support.ts";
import { ALL_OF_IT, serveGatewayApi } from "../kube/gateway-api.ts";
import { type Bridge, conditionOf } from "./api.ts";
import { kubectlIn } from "./kubectl.ts";
import { type Scene, testProgress } from "./scene.ts";

/** The Gateway of a scene, in its namespace, with one listener. */
export const GATEWAY = { name: "gw", sectionName: "http" };
const PORT = 8000;

/** Installs the Gateway API and a Traefik for the scene's namespace; answers where its clients reach it. */
export async function deployGateway(scene: Scene): Promise<string> {
  const image = await gatewayImage(cacheRoot(process.env), testProgress);
  await scene.cluster.loadImage(image);
  await serveGatewayApi(scene.client, ALL_OF_IT);
  const kubectl = kubectlIn(scene.cluster, scene.namespace);
  const folder = mkdtempSync(join(tmpdir(), "llmbridge-gateway-"));
  try {
    const file = join(folder, "gateway.json");
    writeFileSync(
      file,
      JSON.stringify({ apiVersion: "v1", kind: "List", items: objects(scene.namespace, image.name) }),
    );
    await kubectl("apply", "-f", file);
  } finally {
    rmSync(folder, { recursive: true });
  }
  await kubectl("wait", "--for=condition=Available", "deployment/traefik", "--timeout=120s");
  await kubectl("wait", "--for=condition=Programmed", `gateway/${GATEWAY.name}`, "--timeout=120s");
  return scene.serviceUrl("traefik");
}

/** Waits until a bridge is reached through the gateway, which reports a route before it acts on it. */
export async function untilRouted(bridge: Bridge, url: string): Promise<void> {
  await bridge.waitFor("accepted", (now) => conditionOf(now, "RouteAccepted")?.status === "True");
  await until("the gateway to serve it", 20_000, async () => {
    const { status } = await fetch(`${url}${ROUTES.models}`);
    return status === 200 ? undefined : `it answers ${status}`;
  });
}

/** What is not in the scene's namespace and so stays when that goes. */
export async function removeGateway(scene: Scene): Promise<void> {
  const name = `traefik-${scene.namespace}`;
  await kubectlIn(scene.cluster, scene.namespace)(
    "delete",
    `clusterrole/${name}`,
    `clusterrolebinding/${name}`,
    `gatewayclass/${name}`,
    "--ignore-not-found",
  );
}

const API = "gateway.networking.k8s.io";
const READ = ["get", "list", "watch"];

function objects(namespace: string, image: string): object[] {
  const name = `traefik-${namespace}`;
  const labels = { app: "traefik" };
  const kinds = ["gatewayclasses", "gateways", "httproutes", "grpcroutes", "backendtlspolicies"];
  const rules = [
    { apiGroups: [""], resources: ["namespaces", "services", "secrets", "configmaps"], verbs: READ },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    { apiGroups: [API], resources: [...kinds, "referencegrants"], verbs: READ },
    { apiGroups: [API], resources: kinds.map((kind) => `${kind}/status`), verbs: ["update"] },
  ];
  const container = {
    name: "traefik",
    image,
    imagePullPolicy: "Never",
    // Its throttle stays at the default: what is tested is what people have.
    args: [
      "--global.checkNewVersion=false",
      "--global.sendAnonymousUsage=false",
      `--entryPoints.web.address=:${PORT}`,
      "--entryPoints.traefik.address=:8081",
      "--ping=true",
      "--providers.kubernetesGateway=true",
    ],
    ports: [{ containerPort: PORT }, { containerPort: 8081 }],
    readinessProbe: { httpGet: { path: "/ping", port: 8081 }, periodSeconds: 1 },
    resources: { requests: { cpu: "150m", memory: "64Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
  const rbac = "rbac.authorization.k8s.io";
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "traefik", namespace } },
    { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name }, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name },
      subjects: [{ kind: "ServiceAccount", name: "traefik", namespace }],
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "traefik", namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: "traefik",
            terminationGracePeriodSeconds: 1,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65532,
              seccompProfile: { type: "RuntimeDefault" },
            },
            containers: [container],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "traefik", namespace },
      spec: { selector: labels, ports: [{ name: "web", port: 80, targetPort: PORT }] },
    },
    {
      apiVersion: `${API}/v1`,
      kind: "GatewayClass",
      metadata: { name },
      spec: { controllerName: "traefik.io/gateway-controller" },
    },
    {
      apiVersion: `${API}/v1`,
      kind: "Gateway",
      metadata: { name: GATEWAY.name, namespace },
      spec: {
        gatewayClassName: name,
        listeners: [
          {
            name: GATEWAY.sectionName,
            protocol: "HTTP",
            port: PORT,
            allowedRoutes: { namespaces: { from: "Same" } },
          },
        ],
      },
    },
  ];
}
