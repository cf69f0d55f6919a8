import type { AffinityRound } from "../../../contract/affinity.ts";
import type { CanaryMatch, OwnRoute } from "../../api/v1alpha1/traffic.ts";
import { type BridgeRef, canaryService, childLabels, ownerReference, productionService } from "../names.ts";
import { HTTP_ROUTES } from "../route/http-route.ts";
import { affinityFilters, canaryLots, cookieMatch, EVERYWHERE, everyLot } from "./route-cookies.ts";

/** Clients that get the canary whatever its weight. Its Service leads to the stable version while there is none. */
function preview(matches: readonly CanaryMatch[], canary: object): object[] {
  return matches.length === 0 ? [] : [{ matches: matches.map(matchOf), backendRefs: [canary] }];
}

function matchOf({ header, cookie = "", value }: CanaryMatch): object {
  const found =
    header === undefined ? cookieMatch(cookie, literally(value)) : { type: "Exact", name: header, value };
  return { path: EVERYWHERE, headers: [found] };
}

/** Of what values may hold, only a dot means something in an expression. */
const literally = (value: string): string => value.replaceAll(".", "[.]");

const backend = (name: string, weight: number) => ({ group: "", kind: "Service", name, port: 80, weight });

/** Clients with a lot in the rollout under way go where it says. At 100% it is the canary for every lot, as for those without one. */
function known(bridge: BridgeRef, cookie: string, round: AffinityRound | undefined): object[] {
  if (!round || round.weight >= 100) return [];
  const filters = affinityFilters({ cookie, round });
  const leads = (lots: string, service: string) => ({
    matches: [{ path: EVERYWHERE, headers: [cookieMatch(cookie, lots)] }],
    filters,
    backendRefs: [backend(service, 1)],
  });
  return [
    leads(canaryLots(round), canaryService(bridge.name)),
    leads(everyLot(round), productionService(bridge.name)),
  ];
}

/**
 * The route that the operator makes: all requests for its hosts, split between the bridge's two Services. Pure.
 * @param round the rollout under way, where clients are to keep their version
 */
export function httpRoute(
  bridge: BridgeRef,
  { parentRefs, hostnames, canaryMatches, affinity }: OwnRoute,
  canaryPercent: number,
  round?: AffinityRound,
) {
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
      parentRefs,
      ...(hostnames.length > 0 ? { hostnames } : {}),
      rules: [
        ...preview(canaryMatches, backend(canaryService(bridge.name), 1)),
        ...(affinity ? known(bridge, affinity.cookie, round) : []),
        {
          matches: [{ path: EVERYWHERE }],
          ...(affinity ? { filters: affinityFilters({ cookie: affinity.cookie, round }) } : {}),
          backendRefs: [
            backend(productionService(bridge.name), 100 - canaryPercent),
            backend(canaryService(bridge.name), canaryPercent),
          ],
        },
      ],
    },
  };
}
