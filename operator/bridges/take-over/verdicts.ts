import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import type { Evidence } from "../decide/evidence.ts";
import { TAKEN_OVER } from "./observed.ts";
import type { TakeOverView } from "./view.ts";

/**
 * Evidence beside an old version that tells nothing: what compares with it holds and acts on nothing, however much is known of the canary. Gates keep
 * their own verdicts.
 */
export function withoutComparison(
  evidence: Evidence,
  { rollout }: Pick<LLMBridgeStatus, "rollout">,
  view: TakeOverView | undefined,
): Evidence {
  if (!view || !evidence.state || rollout?.stableRevision !== TAKEN_OVER) return evidence;
  const old = shortened(view.names.deployment);
  const verdicts = evidence.verdicts.map(({ signal }) => ({
    ...{ signal, category: "NoData" as const, samples: 0, logEWorse: 0, logEBelow: 0 },
    message: `Deployment "${old}" exports no metrics of a bridge, so ${signal} cannot be compared; gates with a limit of their own are judged, and \`kubectl llmbridge promote\` takes the step.`,
  }));
  return { ...evidence, verdicts };
}

/** No pods are started from a template that is not ours: a baseline of the same age begins with the canary after the one that replaces the old version. */
export function withoutBaseline(
  rollout: LLMBridgeSpec["rollout"],
  view: TakeOverView | undefined,
): LLMBridgeSpec["rollout"] {
  return view?.stage === "Serving" ? { ...rollout, baseline: "Stable" } : rollout;
}

/** Status has room for a sentence, and a name may be as long as one. */
const shortened = (name: string): string => (name.length > 63 ? `${name.slice(0, 60)}...` : name);
