import type { Gate, Rollout } from "../api/v1alpha1/rollout.ts";
import { servesBoth, stepsOf } from "./plan.ts";

const isRelative = ({ maxIncrease, minDecrease }: Gate): boolean =>
  maxIncrease !== undefined || minDecrease !== undefined;

/**
 * Gates of a plan that can never be looked at, since they compare with the stable version and at no step both versions serve; one sentence, undefined
 * without any. It is no error: the other evidence decides, and a step that waits for such a gate says so.
 */
export function uncomparedGates(spec: Rollout): string | undefined {
  if (spec.strategy === "Immediate") return undefined;
  const names = spec.analysis.gates.filter(isRelative).map(({ name }) => name);
  if (names.length === 0 || stepsOf(spec).some(servesBoth)) return undefined;
  const [gates, compare, them] =
    names.length === 1 ? ["gate", "compares", "it a limit"] : ["gates", "compare", "them limits"];
  return `spec.rollout.analysis.gates: ${gates} ${names.join(", ")} ${compare} with the stable version, and at no step both versions serve; take strategy Canary with a step between 0% and 100%, or give ${them} below or above.`;
}
