import { join } from "node:path";
import { cacheRoot } from "../../../tools/setup/cache.ts";
import { envoyImages } from "../../images/envoy.ts";
import { definitionIn, install } from "../../kube/gateway-api.ts";
import { applyAll } from "../kubectl.ts";
import { testProgress } from "../scene.ts";
import { controller, ENVOY, GROUP, NAME, preparation, proxies } from "./envoy-objects.ts";
import { type GatewayImplementation, gateway } from "./objects.ts";

/** Envoy Gateway, which has the filter that copies requests, and the Envoys that it makes: as people have it, but for the time that an Envoy drains. */
export const envoyGateway: GatewayImplementation = {
  controllerName: `${GROUP}/gatewayclass-controller`,
  service: ENVOY,
  async deploy({ cluster, client, namespace }, kubectl) {
    const images = await envoyImages(cacheRoot(process.env), testProgress);
    await cluster.loadImage(images.controller);
    await cluster.loadImage(images.envoy);
    // Of its own kinds this one alone: it does without what is not there.
    const definition = definitionIn(join(images.definitions, `${GROUP}_envoyproxies.yaml`));
    await install(client, [definition]);
    await kubectl("wait", "--for=condition=Established", `crd/${definition.metadata.name}`, "--timeout=60s");
    await applyAll(kubectl, preparation(namespace, images.controller.name));
    await kubectl("wait", "--for=condition=Complete", `job/${NAME}-certificates`, "--timeout=120s");
    await applyAll(kubectl, controller(namespace, images.controller.name, envoyGateway.controllerName));
    await kubectl("wait", "--for=condition=Available", `deployment/${NAME}`, "--timeout=120s");
    const parameters = { group: GROUP, kind: "EnvoyProxy", name: ENVOY, namespace };
    await applyAll(kubectl, [
      proxies(namespace, images.envoy.name),
      ...gateway(namespace, envoyGateway.controllerName, 80, parameters),
    ]);
  },
};
