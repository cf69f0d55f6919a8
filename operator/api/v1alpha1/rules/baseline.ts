import type { Rollout } from "../rollout.ts";
import { sentence } from "./cel.ts";
import { type Rule, rule } from "./rule.ts";

const steps = (...weights: number[]) => weights.map((weight, index) => ({ name: `s${index}`, weight }));

const sameAge = (spec: Record<string, unknown>) => ({
  spec: { rollout: { baseline: "SameAge", steps: steps(10, 50, 100), ...spec } },
});
const GATEWAY = { router: "Gateway", route: { parentRefs: [{ name: "public" }] } };
const DARK = "self.steps.filter(s, s.weight == 0 && s.analysis == 'Required')";
const MIRRORED = "self.steps.filter(s, has(s.mirror))";

/** Where pods of the same age could not be compared with, because they would get no requests beside the canary's. */
export const BASELINE_RULES: readonly Rule[] = [
  rule<Rollout>({
    id: "baseline-and-strategy",
    path: "spec.rollout",
    validation: {
      rule: "self.baseline == 'Stable' || self.strategy == 'Canary'",
      message: "A baseline of the same age needs strategy Canary.",
      messageExpression: sentence`SameAge needs strategy Canary, in which its pods get requests beside those of the canary; with strategy ${"self.strategy"} write baseline: Stable.`,
      fieldPath: ".baseline",
    },
    check: ({ baseline, strategy }) =>
      baseline === "Stable" || strategy === "Canary"
        ? undefined
        : `SameAge needs strategy Canary, in which its pods get requests beside those of the canary; with strategy ${strategy} write baseline: Stable.`,
    accepted: sameAge({ traffic: GATEWAY }),
    refused: sameAge({ strategy: "BlueGreen" }),
    expect: "with strategy BlueGreen write baseline: Stable",
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
  rule<Rollout>({
    id: "baseline-without-copies",
    path: "spec.rollout",
    validation: {
      rule: "self.baseline == 'Stable' || self.steps.all(s, !has(s.mirror))",
      message: "A baseline gets no copies of requests, so no step can mirror.",
      messageExpression: sentence`steps: ${`${MIRRORED}[0].name`} has mirror ${`${MIRRORED}[0].mirror`}, but copies go to the canary alone, and its answers would be compared with none of a baseline of the same age. Remove mirror, or write baseline: Stable.`,
      fieldPath: ".steps",
    },
    check: ({ baseline, steps }) => {
      const copied = steps.find(({ mirror }) => mirror !== undefined);
      return baseline === "Stable" || copied === undefined
        ? undefined
        : `steps: ${copied.name} has mirror ${copied.mirror}, but copies go to the canary alone, and its answers would be compared with none of a baseline of the same age. Remove mirror, or write baseline: Stable.`;
    },
    accepted: sameAge({ traffic: GATEWAY, steps: steps(10, 100) }),
    refused: sameAge({
      traffic: GATEWAY,
      steps: [{ name: "copies", weight: 0, mirror: 10, analysis: "Background" }, ...steps(10, 100)],
    }),
    expect: "steps: copies has mirror 10, but copies go to the canary alone",
  }),
];
