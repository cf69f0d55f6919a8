import type { CanaryMatch, Traffic } from "../../api/v1alpha1/traffic.ts";
import { type BridgeRef, canaryService, childLabels, ownerReference, productionService } from "../names.ts";
import { HTTP_ROUTES } from "../route/http-route.ts";

const EVERYWHERE = { type: "PathPrefix", value: "/" };

/** Clients that get the canary whatever its weight. Its Service leads to the stable version while there is none. */
function preview(matches: readonly CanaryMatch[], canary: object): object[] {
  return matches.length === 0 ? [] : [{ matches: matches.map(matchOf), backendRefs: [canary] }];
}

function matchOf({ header, cookie = "", value }: CanaryMatch): object {
  const found =
    header === undefined
      ? { type: "RegularExpression", name: "Cookie", value: cookiePattern(cookie, value) }
      : { type: "Exact", name: header, value };
  return { path: EVERYWHERE, headers: [found] };
}

/** One among the cookies of a request. Of what names and values may hold, only a dot means something in an expression. */
const cookiePattern = (cookie: string, value: string): string =>
  `(^|.*;[ ]*)${cookie}=${value.replaceAll(".", "[.]")}(;.*|$)`;

/** The route that the operator makes: all requests for its hosts, split between the bridge's two Services. Pure. */
export function httpRoute(bridge: BridgeRef, route: NonNullable<Traffic["route"]>, canaryPercent: number) {
  const backend = (name: string, weight: number) => ({ group: "", kind: "Service", name, port: 80, weight });
  return {
    apiVersion: `${HTTP_ROUTES.group}/${HTTP_ROUTES.version}`,
    kind: HTTP_ROUTES.kind,
    metadata: {
      name: bridge.name,
      namespace: bridge.namespace,
      labels: childLabels(bridge.name, "traffic"),
      ownerReferences: [ownerReference(bridge)],
    },
    spec: {
      parentRefs: route.parentRefs,
      ...(route.hostnames.length > 0 ? { hostnames: route.hostnames } : {}),
      rules: [
        ...preview(route.canaryMatches, backend(canaryService(bridge.name), 1)),
        {
          matches: [{ path: EVERYWHERE }],
          backendRefs: [
            backend(productionService(bridge.name), 100 - canaryPercent),
            backend(canaryService(bridge.name), canaryPercent),
          ],
        },
      ],
    },
  };
}
