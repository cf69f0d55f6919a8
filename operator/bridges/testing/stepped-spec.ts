import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";

type Rollout = NonNullable<LLMBridgeSpecInput["rollout"]>;

/**
 * A spec that steps within a minute of virtual time: a step of that weight, then all, each held 10 s.
 * @param first of the two steps
 * @param rollout beside the steps, and in place of the usual margins
 */
export function steppedSpec(
  first: { readonly name: string; readonly weight: number },
  rollout: Rollout,
): LLMBridgeSpecInput & { readonly rollout: Rollout } {
  return {
    image: "bridge:1",
    upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
    scaling: { minReplicas: 3, maxReplicas: 9, scaleDownWindow: "1m", demandWindow: "15s" },
    rollout: {
      steps: [
        { ...first, hold: "10s" },
        { name: "all", weight: 100, hold: "10s" },
      ],
      analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
      ...rollout,
    },
  };
}
