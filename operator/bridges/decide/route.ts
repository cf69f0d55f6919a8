import type { AffinityRound } from "../../../contract/affinity.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { Traffic } from "../../api/v1alpha1/traffic.ts";
import { affinityRound } from "../../rollout/affinity.ts";
import type { RolloutOutcome, RouteFacts } from "../../rollout/types.ts";
import type { ConditionState } from "../conditions.ts";
import { httpRoute } from "../desired/http-route.ts";
import { differenceOf } from "../difference.ts";
import type { ChildObject, Write } from "../plan.ts";
import { copiedPercent } from "../route/copies.ts";
import { HTTP_ROUTES, type HttpRoute, type ObservedRoute } from "../route/http-route.ts";
import { acceptanceOf } from "../route/parents.ts";
import {
  type Percents,
  percentOf,
  placeForBaseline,
  type SplitRule,
  splitRules,
  weightsFor,
} from "../route/split-rules.ts";
import type { Snapshot } from "../snapshot.ts";
import { asksForBaselineService, hasBaselineService } from "./baseline-service.ts";

type RolloutPlan = LLMBridgeSpec["rollout"];

/** Everything about a bridge's route in one pass. */
export interface RouteView {
  /** What the rollout reads; undefined under router Replicas. */
  readonly facts: RouteFacts | undefined;
  readonly condition: Omit<ConditionState, "type"> | undefined;
  /** The user's route and where in it weights are set. */
  readonly split: { readonly route: HttpRoute; readonly rules: readonly SplitRule[] } | undefined;
}

const NOTHING: RouteView = { facts: undefined, condition: undefined, split: undefined };

/** How the route stands to which the spec trusts the traffic. */
export function lookAtRoute(snapshot: Snapshot, rollout: RolloutPlan): RouteView {
  const { bridge, route: observed } = snapshot;
  const { traffic } = rollout;
  if (traffic.router !== "Gateway") return NOTHING;
  if (observed.kind !== "Served") return withoutApi(observed);
  const { route } = observed;
  if (!route) return traffic.routeRef ? missing(traffic.routeRef.name) : beingMade(observed.mayMirror);
  const has = hasBaselineService(snapshot, rollout);
  const rules = splitRules(route, bridge.name, traffic.routeRef?.rules ?? [], has);
  if (typeof rules === "string") return unusable("BackendsMissing", rules);
  const asks = asksForBaselineService(rollout) && traffic.routeRef !== undefined;
  const noBaseline = asks ? placeForBaseline(route, bridge.name, rules) : undefined;
  const acceptance = acceptanceOf(route);
  return {
    facts: {
      kind: "Known",
      canaryWeight: percentOf(rules, "canary"),
      baselineWeight: percentOf(rules, "baseline"),
      noBaseline,
      acceptance,
      mirror: traffic.route ? copiedPercent(route) : 0,
      mayMirror: observed.mayMirror,
    },
    split: { route, rules },
    condition: conditionOf(route, acceptance, noBaseline),
  };
}

function conditionOf(
  { metadata: { name } }: HttpRoute,
  acceptance: ReturnType<typeof acceptanceOf>,
  noBaseline: string | undefined,
): RouteView["condition"] {
  if (acceptance.kind !== "Accepted")
    return {
      status: acceptance.kind === "Refused" ? "False" : "Unknown",
      reason: acceptance.kind,
      message: `${acceptance.message} The weight is held.`,
    };
  return noBaseline === undefined
    ? { status: "True", reason: "Accepted", message: `Every Gateway takes HTTPRoute "${name}" as it is.` }
    : { status: "False", reason: "BackendsMissing", message: `${noBaseline} The weight is held.` };
}

function unusable(reason: string, message: string): RouteView {
  const condition = { status: "False", reason, message: `${message} The weight is held.` } as const;
  return { facts: { kind: "Unusable", message }, condition, split: undefined };
}

const missing = (name: string): RouteView =>
  unusable(
    "RouteMissing",
    `There is no HTTPRoute "${name}" (spec.rollout.traffic.routeRef.name); make it, or correct the name.`,
  );

function beingMade(mayMirror: boolean): RouteView {
  const message = "The HTTPRoute is being made.";
  const acceptance = { kind: "Waiting", message } as const;
  return {
    facts: {
      kind: "Known",
      ...{ canaryWeight: undefined, baselineWeight: undefined },
      ...{ acceptance, mirror: 0, mayMirror },
    },
    condition: { status: "Unknown", reason: "Waiting", message },
    split: undefined,
  };
}

const API = `${HTTP_ROUTES.plural}.${HTTP_ROUTES.group}`;

function withoutApi(observed: Exclude<ObservedRoute, { kind: "Served" }>): RouteView {
  switch (observed.kind) {
    case "Unknown":
      return { facts: { kind: "Unknown" }, condition: undefined, split: undefined };
    case "Disabled":
      return unusable(
        "NotEnabled",
        "The administrator has not enabled HTTPRoutes; set settings.httpRoutes: {} in the values of the operator's chart, or use router Replicas.",
      );
    case "Absent":
      return unusable(
        "ApiAbsent",
        `The API server does not serve ${API}; install the Gateway API's CustomResourceDefinitions, or use router Replicas.`,
      );
    case "Forbidden":
      return unusable(
        "ApiForbidden",
        `The operator may not use ${API}; give it the right to, as its chart does where settings.httpRoutes is set. ${observed.message.slice(0, 400)}`,
      );
  }
}

/** The writes that make the route say what the rollout wants; none where it does, or where it cannot be known. */
export function routeWrites(
  { bridge, route: observed }: Snapshot,
  spec: { readonly rollout: RolloutPlan; readonly isAccepted: boolean } | undefined,
  view: RouteView,
  outcome: Pick<RolloutOutcome, "routeWeight" | "routeBaseline" | "routeMirror" | "state">,
): Write[] {
  const { routeWeight: percent, routeBaseline, routeMirror: mirror } = outcome;
  if (observed.kind !== "Served" || spec === undefined) return [];
  const { rollout, isAccepted } = spec;
  const { traffic } = rollout;
  const wanted = traffic.router === "Gateway" ? traffic.route : undefined;
  const percents = percent === undefined ? undefined : { canary: percent, baseline: routeBaseline };
  // Of a spec that is refused neither hosts nor parents are taken, nor that it has no route any more: clients are being served by the one there is.
  if (!isAccepted) return weights(view, percents);
  if (!wanted) return [...deletion(observed.owned), ...weights(view, percents)];
  if (percent === undefined) return [];
  const baseline = asksForBaselineService(rollout) ? routeBaseline : undefined;
  const split = { percent, baseline, mirror, round: roundOf(wanted, outcome, percent) };
  const object = httpRoute(bridge, wanted, split) as ChildObject;
  return differenceOf({ resource: "httproutes", object }, observed.owned as ChildObject | undefined);
}

function roundOf(
  { affinity }: NonNullable<Traffic["route"]>,
  { state }: Pick<RolloutOutcome, "state">,
  weight: number,
): AffinityRound | undefined {
  const round = affinity && affinityRound(state);
  return round && weight > 0
    ? { ...round, weight, maxAgeSeconds: Math.round(durationMs(affinity.maxAge) / 1000) }
    : undefined;
}

/** A route that we made and that the spec asks for no more. */
function deletion(owned: HttpRoute | undefined): Write[] {
  if (!owned) return [];
  const { name, uid, resourceVersion } = owned.metadata;
  return [{ kind: "Delete", resource: "httproutes", name, uid, resourceVersion }];
}

function weights({ split }: RouteView, percents: Percents | undefined): Write[] {
  if (!split || percents === undefined) return [];
  const changes = split.rules.flatMap((rule) => {
    const wanted = weightsFor(rule, percents);
    return (["production", "canary", "baseline"] as const).flatMap((one) => {
      const [has, weight] = [rule[one], wanted[one]];
      if (has === undefined || weight === undefined || has.weight === weight) return [];
      return [{ rule: rule.index, backend: has.index, weight }];
    });
  });
  if (changes.length === 0 || agrees(split.rules, percents)) return [];
  const { name, uid, resourceVersion } = split.route.metadata;
  return [{ kind: "RouteWeights", name, uid, resourceVersion, changes }];
}

/** Weights such as 9 and 1 say the same as 90 and 10, and are left as they were written. */
const agrees = (rules: readonly SplitRule[], { canary, baseline }: Percents): boolean =>
  percentOf(rules, "canary") === canary && percentOf(rules, "baseline") === baseline;
