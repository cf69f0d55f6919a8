import { canaryService, productionService } from "../names.ts";
import type { BackendRef, HttpRoute } from "./http-route.ts";

/** A rule whose traffic is split between the two Services of a bridge. */
export interface SplitRule {
  readonly index: number;
  readonly production: Backend;
  readonly canary: Backend;
  /** Other backends take a part of the traffic too. */
  readonly isShared: boolean;
}

interface Backend {
  readonly index: number;
  readonly weight: number;
}

/** The weights of a rule that give the canary so many percent of what both Services have together. Others' weights keep their proportion. */
export function weightsFor(rule: SplitRule, percent: number): { production: number; canary: number } {
  const all = rule.isShared ? rule.production.weight + rule.canary.weight : 100;
  const canary = Math.floor((all * percent) / 100);
  return { production: all - canary, canary };
}

/** Percent of the two Services' traffic that the canary has; undefined where it is no whole number, or nothing is given to either. */
function percentOf({ production, canary }: SplitRule): number | undefined {
  const all = production.weight + canary.weight;
  const percent = (100 * canary.weight) / all;
  return Number.isInteger(percent) ? percent : undefined;
}

/** The percentage that all rules give the canary; undefined where they do not agree. */
export function canaryPercent(rules: readonly SplitRule[]): number | undefined {
  const percents = new Set(rules.map(percentOf));
  return percents.size === 1 ? [...percents][0] : undefined;
}

/**
 * The rules of a route that split traffic between the bridge's Services, or why it cannot be split: a sentence that says what to write.
 * Rules that name only one of them are the user's own affair.
 */
export function splitRules(
  route: HttpRoute,
  bridge: string,
  only: readonly string[],
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
    const place = `${called}, rule ${name === "" ? index + 1 : name}`;
    const [mine, its] = [backends(route, backendRefs, production), backends(route, backendRefs, canary)];
    if (mine.length > 1 || its.length > 1)
      return `${place} names a Service of the bridge more than once; name ${production} and ${canary} once each.`;
    const [first, second] = [mine[0], its[0]];
    if (!first || !second) {
      if (only.length === 0) continue;
      return `${place} does not name both ${production} and ${canary} as backends; ${remedy(production, canary)}`;
    }
    const isShared = backendRefs.length > 2;
    const all = first.weight + second.weight;
    if (isShared && (all === 0 || all % 100 !== 0))
      return `${place} gives ${production} and ${canary} weights of ${all} together beside other backends, which cannot be split into percents; raise all weights of the rule alike until it is a multiple of 100.`;
    found.push({ index, production: first, canary: second, isShared });
  }
  if (found.length > 0) return found;
  return `${called} has no rule that names both ${production} and ${canary} as backends; ${remedy(production, canary)}`;
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
