import type { Rollout } from "../rollout.ts";
import { sentence } from "./cel.ts";
import { type Rule, rule } from "./rule.ts";

const steps = (...weights: number[]) => weights.map((weight, index) => ({ name: `s${index}`, weight }));

const sameAge = (spec: Record<string, unknown>) => ({
  spec: { rollout: { baseline: "SameAge", steps: steps(10, 50, 100), ...spec } },
});
const DARK = "self.steps.filter(s, s.weight == 0 && s.analysis == 'Required')";

/** Where pods of the same age could not be compared with, because they would get no requests beside the canary's. */
export const BASELINE_RULES: readonly Rule[] = [
  rule<Rollout>({
    id: "baseline-and-strategy",
    path: "spec.rollout",
    validation: {
      rule: "self.baseline == 'Stable' || (self.strategy == 'Canary' && self.traffic.router == 'Replicas')",
      message: "A baseline of the same age needs strategy Canary and router Replicas.",
      messageExpression: sentence`SameAge needs strategy Canary and router Replicas, so that its pods get as many requests as those of the canary; with strategy ${"self.strategy"} and router ${"self.traffic.router"} write baseline: Stable.`,
      fieldPath: ".baseline",
    },
    check: ({ baseline, strategy, traffic: { router } }) =>
      baseline === "Stable" || (strategy === "Canary" && router === "Replicas")
        ? undefined
        : `SameAge needs strategy Canary and router Replicas, so that its pods get as many requests as those of the canary; with strategy ${strategy} and router ${router} write baseline: Stable.`,
    accepted: sameAge({}),
    refused: sameAge({ strategy: "BlueGreen" }),
    expect: "with strategy BlueGreen and router Replicas write baseline: Stable",
  }),
  rule<Rollout>({
    id: "baseline-has-a-step",
    path: "spec.rollout",
    validation: {
      rule: "self.baseline == 'Stable' || self.steps.exists(s, s.weight > 0 && s.weight < 100)",
      message:
        "A baseline of the same age needs a step with a weight from 1 to 99: at 0 and at 100 nobody serves beside the canary. Add one, or write baseline: Stable.",
      fieldPath: ".baseline",
    },
    check: ({ baseline, steps }) =>
      baseline === "Stable" || steps.some(({ weight }) => weight > 0 && weight < 100)
        ? undefined
        : "A baseline of the same age needs a step with a weight from 1 to 99: at 0 and at 100 nobody serves beside the canary. Add one, or write baseline: Stable.",
    accepted: sameAge({ steps: steps(20, 100) }),
    refused: sameAge({ steps: steps(100) }),
    expect: "needs a step with a weight from 1 to 99",
  }),
  rule<Rollout>({
    id: "baseline-without-weight",
    path: "spec.rollout",
    validation: {
      rule: `self.baseline == 'Stable' || ${DARK}.size() == 0`,
      message: "At weight 0 a baseline gets no requests, so no proof can be asked for there.",
      messageExpression: sentence`steps: ${`${DARK}[0].name`} has weight 0 and analysis Required, but at weight 0 a baseline of the same age gets no requests to compare with. Write analysis: Background, or baseline: Stable.`,
      fieldPath: ".steps",
    },
    check: ({ baseline, steps }) => {
      const dark = steps.find(({ weight, analysis }) => weight === 0 && analysis === "Required");
      return baseline === "Stable" || dark === undefined
        ? undefined
        : `steps: ${dark.name} has weight 0 and analysis Required, but at weight 0 a baseline of the same age gets no requests to compare with. Write analysis: Background, or baseline: Stable.`;
    },
    accepted: sameAge({ steps: [{ name: "dark", weight: 0, analysis: "Background" }, ...steps(50, 100)] }),
    refused: sameAge({ steps: [{ name: "dark", weight: 0 }, ...steps(50, 100)] }),
    expect: "steps: dark has weight 0 and analysis Required",
  }),
];
