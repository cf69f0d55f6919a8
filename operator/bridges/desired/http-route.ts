import type { AffinityRound } from "../../../contract/affinity.ts";
import { ROUTES } from "../../../contract/endpoints.ts";
import type { CanaryMatch, OwnRoute } from "../../api/v1alpha1/traffic.ts";
import {
  type BridgeRef,
  baselineService,
  canaryService,
  childLabels,
  ownerReference,
  productionService,
} from "../names.ts";
import { HTTP_ROUTES } from "../route/http-route.ts";
import {
  affinityFilters,
  canaryLots,
  cookieMatch,
  EVERYWHERE,
  everyLot,
  highestLots,
} from "./route-cookies.ts";

/** How the requests are split in this pass. */
export interface RouteSplit {
  /** For the canary. */
  readonly percent: number;
  /** For a baseline, out of the rest; undefined where the bridge has none, and the route no place for it. */
  readonly baseline?: number | undefined;
  /** Percent of the model requests that are copied to the canary; 0: none. */
  readonly mirror: number;
  /** The rollout under way, where clients are to keep their version. */
  readonly round: AffinityRound | undefined;
}

/**
 * What every rule has: no limit of the gateway's on how long an answer may take. Without a word on it, gateways that are made of Envoy end a whole answer,
 * streams too, after 15 s (RouteAction.timeout); the bridge has limits of its own. Gateways that do not know the field pass over it.
 */
const UNLIMITED = { timeouts: { request: "0s" } };

/** Clients that get the canary whatever its weight. Its Service leads to the stable version while there is none. */
function preview(matches: readonly CanaryMatch[], canary: object, isMirrored: boolean): object[] {
  if (matches.length === 0) return [];
  // A path in full goes before any header (Gateway API, HTTPRouteRule), so those that are mirrored are named here too.
  const paths = isMirrored ? [EVERYWHERE, ...MIRRORED] : [EVERYWHERE];
  const all = paths.flatMap((path) => matches.map((match) => matchOf(match, path)));
  return [{ matches: all, backendRefs: [canary], ...UNLIMITED }];
}

function matchOf({ header, cookie = "", value }: CanaryMatch, path: object): object {
  const found =
    header === undefined ? cookieMatch(cookie, literally(value)) : { type: "Exact", name: header, value };
  return { path, headers: [found] };
}

/** Of what values may hold, only a dot means something in an expression. */
const literally = (value: string): string => value.replaceAll(".", "[.]");

/** What is copied: requests to models, which stand for themselves. A WebSocket's would be a second agent. */
const MIRRORED = [ROUTES.chat, ROUTES.embeddings].map((value) => ({ type: "Exact", value }));

/** Requests that are answered like all others, and copied. */
function mirrored(split: { readonly filters?: readonly object[] }, canary: string, percent: number): object {
  const { weight: _, ...backendRef } = backend(canary, 0);
  // All of them is what each implementation of the filter can do.
  const requestMirror = percent === 100 ? { backendRef } : { backendRef, percent };
  const filters = [...(split.filters ?? []), { type: "RequestMirror", requestMirror }];
  return { matches: MIRRORED.map((path) => ({ path })), ...split, filters };
}

const backend = (name: string, weight: number) => ({ group: "", kind: "Service", name, port: 80, weight });

/**
 * Clients with a lot in the rollout under way go where it says. At 100% it is the canary for every lot, as for those without one. Those of a baseline have
 * the highest lots: they meet the stable version like all that are not the canary's, and the same pods of it.
 */
function known(
  bridge: BridgeRef,
  cookie: string,
  round: AffinityRound | undefined,
  baseline: number,
): object[] {
  if (!round || round.weight >= 100) return [];
  const filters = affinityFilters({ cookie, round });
  const leads = (lots: string, service: string) => ({
    matches: [{ path: EVERYWHERE, headers: [cookieMatch(cookie, lots)] }],
    filters,
    backendRefs: [backend(service, 1)],
    ...UNLIMITED,
  });
  return [
    leads(canaryLots(round), canaryService(bridge.name)),
    ...(baseline > 0 ? [leads(highestLots(round, baseline), baselineService(bridge.name))] : []),
    leads(everyLot(round), productionService(bridge.name)),
  ];
}

/**
 * The route that the operator makes: all requests for its hosts, split between the bridge's two Services, or three with a baseline. Pure.
 */
export function httpRoute(
  bridge: BridgeRef,
  { parentRefs, hostnames, canaryMatches, affinity }: OwnRoute,
  { percent, baseline, mirror, round }: RouteSplit,
) {
  const [production, canary] = [productionService(bridge.name), canaryService(bridge.name)];
  const split = {
    ...(affinity ? { filters: affinityFilters({ cookie: affinity.cookie, round }) } : {}),
    backendRefs: [
      backend(production, 100 - percent - (baseline ?? 0)),
      backend(canary, percent),
      ...(baseline === undefined ? [] : [backend(baselineService(bridge.name), baseline)]),
    ],
    ...UNLIMITED,
  };
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
        ...preview(canaryMatches, backend(canary, 1), mirror > 0),
        ...(affinity ? known(bridge, affinity.cookie, round, baseline ?? 0) : []),
        ...(mirror > 0 ? [mirrored(split, canary, mirror)] : []),
        { matches: [{ path: EVERYWHERE }], ...split },
      ],
    },
  };
}
