import { ROUTES } from "../../contract/endpoints.ts";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { until } from "../cluster/until.ts";
import { ALL_OF_IT, serveGatewayApi } from "../kube/gateway-api.ts";
import { type Bridge, conditionOf } from "./api.ts";
import { GATEWAY, nameOf } from "./gateways/objects.ts";
import { kubectlIn } from "./kubectl.ts";
import { openScene, type Scene } from "./scene.ts";

/** What the suites behind a gateway run with: Traefik, or Envoy Gateway where `make test-envoy-gateway` asks for it. */
const implementation =
  process.env.LLMBRIDGE_GATEWAY === "EnvoyGateway"
    ? (await import("./gateways/envoy-gateway.ts")).envoyGateway
    : (await import("./gateways/traefik.ts")).traefik;

export { GATEWAY };
/** What it calls itself in the status of a route. */
export const { controllerName: CONTROLLER } = implementation;

/** Installs the Gateway API and a gateway for the scene's namespace; answers where its clients reach it. */
export async function deployGateway(scene: Scene): Promise<string> {
  await serveGatewayApi(scene.client, ALL_OF_IT);
  const kubectl = kubectlIn(scene.cluster, scene.namespace);
  await implementation.deploy(scene, kubectl);
  await kubectl("wait", "--for=condition=Programmed", `gateway/${GATEWAY.name}`, "--timeout=120s");
  return scene.serviceUrl(implementation.service);
}

/** A bridge that serves behind a gateway, and its next version. */
export interface Routed {
  readonly scene: Scene;
  /** Of the gateway. */
  readonly url: string;
  readonly first: string;
  readonly next: string;
}

/** Opens a scene in which a bridge of a fixed number of pods serves its first version through a gateway. */
export async function openRouted(
  name: string,
  replicas: number,
  rollout: LLMBridgeSpecInput["rollout"],
): Promise<Routed> {
  const scene = await openScene(name);
  const url = await deployGateway(scene);
  const [first, next] = await Promise.all([scene.image("first"), scene.image("next")]);
  const spec = await scene.spec({ scaling: { mode: "Fixed" }, replicas });
  await scene.bridge().apply({ ...spec, rollout: { ...spec.rollout, ...rollout } });
  await scene.bridge().promoted(first);
  await untilRouted(scene.bridge(), url);
  return { scene, url, first, next };
}

/** Waits until a bridge is reached through the gateway, which reports a route before it acts on it. */
export async function untilRouted(bridge: Bridge, url: string): Promise<void> {
  await bridge.waitFor("accepted", (now) => conditionOf(now, "RouteAccepted")?.status === "True");
  await until("the gateway to serve it", 20_000, async () => {
    const { status } = await fetch(`${url}${ROUTES.models}`);
    return status === 200 ? undefined : `it answers ${status}`;
  });
}

/** What is not in the scene's namespace and so stays when that goes; the Gateway first, since its class may wait for it. */
export async function removeGateway(scene: Scene): Promise<void> {
  const kubectl = kubectlIn(scene.cluster, scene.namespace);
  const name = nameOf(scene.namespace);
  await kubectl("delete", `gateway/${GATEWAY.name}`, "--ignore-not-found");
  await kubectl(
    "delete",
    `gatewayclass/${name}`,
    `clusterrole/${name}`,
    `clusterrolebinding/${name}`,
    "--ignore-not-found",
  );
}
