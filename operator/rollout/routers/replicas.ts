import { baselineServes, baselineStays } from "../baseline.ts";
import type { Context, Router } from "../context.ts";
import { isDark, stepsOf, waitsForSwitch } from "../plan.ts";
import { isTooFine, podsForWeight, split } from "../split.ts";
import { splitSameAge } from "../split-same-age.ts";
import { canaryIsOut, plannedWeight } from "../traffic.ts";
import type { ServiceTargets } from "../types.ts";

/** Traffic follows the share of ready pods behind the bridge's Service, which selects both revisions while a canary serves. */
export const replicas: Router = {
  split: (input) => (input.baseline ? splitSameAge(input) : split(input)),
  refusal({ input, needed }) {
    const { traffic } = input.spec;
    const steps = stepsOf(input.spec);
    if (traffic.whenTooFewPods !== "Refuse" || needed <= 0) return undefined;
    const index = steps.findIndex(({ weight }) => isTooFine(needed, weight));
    const step = steps[index];
    if (!step) return undefined;
    const { weight } = step;
    return {
      path: `spec.rollout.steps[${index}].weight`,
      message: `${weight} cannot be given by ${needed} pods of the stable version; have at least ${podsForWeight(weight)}, change the weight, or set spec.rollout.traffic.whenTooFewPods to AddPods.`,
    };
  },
  canaryWeight: plannedWeight,
  baselineWeight(context, canaryWeight) {
    const { baseline, stable } = context;
    if (!baselineServes(context)) return 0;
    const share = baseline.wantedReplicas / (baseline.wantedReplicas + stable.wantedReplicas);
    return Math.round((100 - canaryWeight) * share);
  },
  routeWeight: () => undefined,
  routeMirror: () => 0,
  whyNotStart: () => undefined,
  whyNotOn: () => undefined,
  inEffect: ({ canary }) => canary.servedRequests === true,
  // kube-proxy follows while the pods that end still accept.
  hasLeft: (context) => canaryIsOut(context),
  baselineLeftAtMs: () => 0,
  settlesAtMs: () => undefined,
  services(context): ServiceTargets {
    const { stableRevision, canaryRevision, phase } = context.state;
    const stable = stableRevision === undefined ? [] : [stableRevision];
    const canary = canaryRevision === undefined ? [] : [canaryRevision];
    // Of one version so many kinds of pods as serve.
    const fresh = context.baseline.wantedReplicas > 0 && context.baselineRevision;
    const wholeStable = fresh ? [...stable, fresh] : stable;
    const both = [...wholeStable, ...canary];
    switch (phase) {
      case "Pending":
        return { main: canary, stable: canary, canary: [] };
      case "Stable":
      case "Aborted":
      case "Promoting":
      case "Watching":
      case "Draining":
        return { main: stable, stable, canary: [] };
      case "Preparing":
        return { main: stable, stable, canary };
      case "Stepping":
      case "Holding":
        return { main: mainOf(context, { stable, canary, both }), stable, canary };
      case "Aborting":
        if (!canaryIsOut(context)) return { main: both, stable, canary };
        return { main: baselineStays(context) ? wholeStable : stable, stable, canary: [] };
    }
  },
};

interface Choices {
  stable: string[];
  canary: string[];
  both: string[];
}

/**
 * Behind the Service while a canary is on its way. BlueGreen never mixes versions on its way forward: it switches once all pods are there. But a canary that
 * serves, since the plan was another one, leaves only a stable version that can take all.
 */
function mainOf(context: Context, { stable, canary, both }: Choices): string[] {
  const { needed, step } = context;
  if (isDark(context)) return stable;
  if (isAlone(context)) return canary;
  if (step.weight === 0) return context.stable.ready >= needed ? stable : both;
  return waitsForSwitch(context) ? stable : both;
}

/**
 * At 100 % the Service selects the canary only, for as long as the canary has all the capacity needed; should it lose some, the stable pods that wait
 * beside it serve again.
 */
function isAlone({ step, canary, needed, frozen, state }: Context): boolean {
  const moving = !frozen || state.phase === "Holding";
  return step.weight === 100 && needed > 0 && canary.ready >= needed && moving;
}
