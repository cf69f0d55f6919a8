import { baselineService, canaryService, productionService } from "../names.ts";
import type { BackendRef, HttpRoute } from "./http-route.ts";

/** A rule whose traffic is split between the Services of a bridge. */
export interface SplitRule {
  readonly index: number;
  readonly production: Backend;
  readonly canary: Backend;
  /** Of a bridge with a Service for baselines, where the rule names it. */
  readonly baseline?: Backend;
  /** Other backends take a part of the traffic too. */
  readonly isShared: boolean;
}

interface Backend {
  readonly index: number;
  readonly weight: number;
}

/** Percents of what the bridge's Services have together; the rest is the production one's. */
export interface Percents {
  readonly canary: number;
  readonly baseline: number;
}

type Weights = Readonly<Partial<Record<"production" | "canary" | "baseline", number>>>;

const sumOf = ({ production, canary, baseline }: SplitRule): number =>
  production.weight + canary.weight + (baseline?.weight ?? 0);

/**
 * The weights of a rule that give canary and baseline so many percent. Others' weights keep their proportion. A rule without a place for a baseline leaves
 * its share to the stable version.
 */
export function weightsFor(rule: SplitRule, percents: Percents): Weights {
  const all = rule.isShared ? sumOf(rule) : 100;
  const canary = Math.floor((all * percents.canary) / 100);
  if (!rule.baseline) return { production: all - canary, canary };
  const baseline = Math.floor((all * percents.baseline) / 100);
  return { production: all - canary - baseline, canary, baseline };
}

/** The percentage that all rules give one of the Services; undefined where they do not agree, it is no whole number, or nothing is given to any. */
export function percentOf(rules: readonly SplitRule[], service: keyof Percents): number | undefined {
  const percents = new Set(rules.map((rule) => (100 * (rule[service]?.weight ?? 0)) / sumOf(rule)));
  const [percent] = percents;
  return percents.size === 1 && Number.isInteger(percent) ? percent : undefined;
}

/**
 * The rules of a route that split traffic between the bridge's Services, or why it cannot be split: a sentence that says what to write.
 * Rules that name only one of them are the user's own affair.
 * @param hasBaseline the bridge has a Service for baselines; what else is of its name is another backend
 */
export function splitRules(
  route: HttpRoute,
  bridge: string,
  only: readonly string[],
  hasBaseline = false,
): readonly SplitRule[] | string {
  const [production, canary] = [productionService(bridge), canaryService(bridge)];
  const called = `HTTPRoute "${route.metadata.name}"`;
  const rules = route.spec?.rules ?? [];
  const missing = only.find((name) => !rules.some((rule) => rule.name === name));
  if (missing !== undefined)
    return `${called} has no rule named ${missing}, which spec.rollout.traffic.routeRef.rules asks for; name the rule in the route, or correct the list.`;
  const found: SplitRule[] = [];
  for (const [index, { name = "", backendRefs = [] }] of rules.entries()) {
    if (only.length > 0 && !only.includes(name)) continue;
    const place = placeOf(route, index);
    const [mine, its] = [backends(route, backendRefs, production), backends(route, backendRefs, canary)];
    const beside = hasBaseline ? backends(route, backendRefs, baselineService(bridge)) : [];
    if (mine.length > 1 || its.length > 1 || beside.length > 1)
      return `${place} names a Service of the bridge more than once; name ${production} and ${canary} once each.`;
    const [first, second, third] = [mine[0], its[0], beside[0]];
    if (!first || !second) {
      if (only.length === 0) continue;
      return `${place} does not name both ${production} and ${canary} as backends; ${remedy(production, canary)}`;
    }
    const isShared = backendRefs.length > (third ? 3 : 2);
    const rule: SplitRule = { index, production: first, canary: second, isShared };
    const split = third ? { ...rule, baseline: third } : rule;
    const all = sumOf(split);
    if (isShared && (all === 0 || all % 100 !== 0))
      return `${place} gives ${production} and ${canary} weights of ${all} together beside other backends, which cannot be split into percents; raise all weights of the rule alike until it is a multiple of 100.`;
    found.push(split);
  }
  if (found.length > 0) return found;
  return `${called} has no rule that names both ${production} and ${canary} as backends; ${remedy(production, canary)}`;
}

/** What a route of the user's lacks for a baseline to get requests by it; undefined: nothing. */
export function placeForBaseline(
  route: HttpRoute,
  bridge: string,
  rules: readonly SplitRule[],
): string | undefined {
  const without = rules.find(({ baseline }) => baseline === undefined);
  if (!without) return undefined;
  const service = baselineService(bridge);
  return `${placeOf(route, without.index)} does not name ${service}, which spec.rollout.baseline SameAge needs; add the backendRef {name: ${service}, port: 80, weight: 0} to it, or write baseline: Stable.`;
}

function placeOf({ metadata, spec }: HttpRoute, index: number): string {
  const { name = "" } = spec?.rules?.[index] ?? {};
  return `HTTPRoute "${metadata.name}", rule ${name === "" ? index + 1 : name}`;
}

const remedy = (production: string, canary: string): string =>
  `add backendRefs {name: ${production}, port: 80, weight: 100} and {name: ${canary}, port: 80, weight: 0} to it.`;

function backends(route: HttpRoute, refs: readonly BackendRef[], service: string): Backend[] {
  return refs.flatMap(({ group = "", kind = "Service", name, namespace, weight = 1 }, index) =>
    group === "" &&
    kind === "Service" &&
    name === service &&
    (namespace ?? route.metadata.namespace) === route.metadata.namespace
      ? [{ index, weight }]
      : [],
  );
}
