import { cacheRoot } from "../../../tools/setup/cache.ts";
import { gatewayImage } from "../../images/support.ts";
import { applyAll } from "../kubectl.ts";
import { testProgress } from "../scene.ts";
import { API, account, deployment, type GatewayImplementation, gateway, podOf, READ } from "./objects.ts";

const PORT = 8000;
const NAME = "traefik";

/** Traefik as people have it: its throttle stays at the default. */
export const traefik: GatewayImplementation = {
  controllerName: "traefik.io/gateway-controller",
  service: NAME,
  async deploy({ cluster, namespace }, kubectl) {
    const image = await gatewayImage(cacheRoot(process.env), testProgress);
    await cluster.loadImage(image);
    await applyAll(kubectl, objects(namespace, image.name));
    await kubectl("wait", "--for=condition=Available", `deployment/${NAME}`, "--timeout=120s");
  },
};

function objects(namespace: string, image: string): object[] {
  const kinds = ["gatewayclasses", "gateways", "httproutes", "grpcroutes", "backendtlspolicies"];
  const rules = [
    { apiGroups: [""], resources: ["namespaces", "services", "secrets", "configmaps"], verbs: READ },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    { apiGroups: [API], resources: [...kinds, "referencegrants"], verbs: READ },
    { apiGroups: [API], resources: kinds.map((kind) => `${kind}/status`), verbs: ["update"] },
  ];
  const container = {
    name: NAME,
    image,
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
  };
  return [
    ...account(namespace, NAME, rules),
    deployment(namespace, NAME, podOf(NAME, container)),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: NAME, namespace },
      spec: { selector: { app: NAME }, ports: [{ name: "web", port: 80, targetPort: PORT }] },
    },
    ...gateway(namespace, traefik.controllerName, PORT),
  ];
}
