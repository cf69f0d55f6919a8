import { type Analysis, analysisValues, type Rollout, type Step, saysNothing } from "../rollout.ts";
import { share } from "../scalars.ts";
import type { LLMBridgeSpec } from "../spec.ts";
import { isOfKind, percentOf, sentence } from "./cel.ts";
import { type Rule, rule } from "./rule.ts";

const steps = (...weights: number[]) => weights.map((weight, index) => ({ name: `s${index}`, weight }));

/** A step that does not rise above the one before it. Steps have unique names, so a step is found again by equality. */
const fallingSteps = "self.filter(s, self.indexOf(s) > 0 && s.weight <= self[self.indexOf(s) - 1].weight)";

const withoutWeight = "!has(s.replicas) || s.weight == 0";
const pinnedStep = `self.steps.filter(s, !(${withoutWeight}))[0]`;

const marginOrder = (
  signal: "errors" | "latency",
  spec: (margins: Record<string, string>) => Record<string, unknown>,
): Rule =>
  rule<NonNullable<Analysis[typeof signal]>>({
    id: `${signal}-margins`,
    path: `spec.rollout.analysis.${signal}`,
    validation: {
      rule: `!(${isOfKind("percent", "self.rollbackAbove")} && ${isOfKind("percent", "self.promoteBelow")}) || ${percentOf("self.rollbackAbove")} < ${percentOf("self.promoteBelow")}`,
      message: "rollbackAbove must be below promoteBelow.",
      messageExpression:
        "'rollbackAbove ' + self.rollbackAbove + ' is not below promoteBelow ' + self.promoteBelow + '; a version between the two could be promoted and rolled back. Lower rollbackAbove or raise promoteBelow.'",
      fieldPath: ".rollbackAbove",
    },
    check: ({ rollbackAbove, promoteBelow }) =>
      share(rollbackAbove) < share(promoteBelow)
        ? undefined
        : `rollbackAbove ${rollbackAbove} is not below promoteBelow ${promoteBelow}; a version between the two could be promoted and rolled back. Lower rollbackAbove or raise promoteBelow.`,
    accepted: {
      spec: { rollout: { analysis: { [signal]: spec({ rollbackAbove: "0.1%", promoteBelow: "0.5%" }) } } },
    },
    refused: {
      spec: { rollout: { analysis: { [signal]: spec({ rollbackAbove: "1%", promoteBelow: "0.5%" }) } } },
    },
    expect: "rollbackAbove 1% is not below promoteBelow 0.5%",
  });

const increaseOrder = (
  signal: "errors" | "latency",
  spec: (margins: Record<string, string>) => Record<string, unknown>,
): Rule =>
  rule<NonNullable<Analysis[typeof signal]>>({
    id: `${signal}-increases`,
    path: `spec.rollout.analysis.${signal}`,
    validation: {
      rule: `!has(self.rollbackIncrease) || !${isOfKind("growth", "self.rollbackIncrease")} || (has(self.promoteIncrease) && (!${isOfKind("growth", "self.promoteIncrease")} || ${percentOf("self.rollbackIncrease")} <= ${percentOf("self.promoteIncrease")}))`,
      message: "rollbackIncrease must not be above promoteIncrease.",
      messageExpression:
        "'rollbackIncrease ' + self.rollbackIncrease + ' is above promoteIncrease ' + (has(self.promoteIncrease) ? self.promoteIncrease : '0%') + '; a version between the two could be promoted and rolled back. Write promoteIncrease: ' + self.rollbackIncrease + ' or more.'",
      fieldPath: ".rollbackIncrease",
    },
    check: ({ rollbackIncrease, promoteIncrease = "0%" }) =>
      rollbackIncrease === undefined || share(rollbackIncrease) <= share(promoteIncrease)
        ? undefined
        : `rollbackIncrease ${rollbackIncrease} is above promoteIncrease ${promoteIncrease}; a version between the two could be promoted and rolled back. Write promoteIncrease: ${rollbackIncrease} or more.`,
    accepted: {
      spec: {
        rollout: { analysis: { [signal]: spec({ rollbackIncrease: "50%", promoteIncrease: "150%" }) } },
      },
    },
    refused: { spec: { rollout: { analysis: { [signal]: spec({ rollbackIncrease: "50%" }) } } } },
    expect: "rollbackIncrease 50% is above promoteIncrease 0%",
  });

const probability = (field: "falseRollback" | "falsePromotion"): Rule =>
  rule<string>({
    id: `${field === "falseRollback" ? "false-rollback" : "false-promotion"}-bounds`,
    path: `spec.rollout.analysis.${field}`,
    validation: {
      rule: `!${isOfKind("percent", "self")} || (${percentOf("self")} >= 0.001 && ${percentOf("self")} <= 50.0)`,
      message: "A probability of error is from 0.001% to 50%.",
      messageExpression:
        "self + ' is outside of 0.001% to 50%: no evidence proves with certainty, and half is a coin toss. 1% is usual.'",
    },
    check: (text) =>
      share(text) * 100 >= 0.001 && share(text) <= 0.5
        ? undefined
        : `${text} is outside of 0.001% to 50%: no evidence proves with certainty, and half is a coin toss. 1% is usual.`,
    accepted: { spec: { rollout: { analysis: { [field]: "2.5%" } } } },
    refused: { spec: { rollout: { analysis: { [field]: "0%" } } } },
    expect: "0% is outside of 0.001% to 50%",
  });

const { errors, falseRollback, falsePromotion, interval, inconclusive, noData } = analysisValues.parse({});
const defaults: Readonly<Record<string, string>> = {
  "errors.rollbackAbove": errors.rollbackAbove,
  "errors.promoteBelow": errors.promoteBelow,
  ...{ falseRollback, falsePromotion, interval },
  "inconclusive.after": inconclusive.after,
  "inconclusive.action": inconclusive.action,
  "noData.after": noData.after,
  "noData.action": noData.action,
};
const atDefault = [
  ...Object.entries(defaults).map(([field, value]) => `self.${field} == '${value}'`),
  ...["errors.rollbackIncrease", "errors.promoteIncrease", "latency"].map((field) => `!has(self.${field})`),
  "self.gates.size() == 0",
].join(" && ");
const WHOLE =
  "from takes the whole analysis from the operator's settings; remove the other fields of analysis, or from.";

/** Steps and evidence. */
export const ROLLOUT_RULES: readonly Rule[] = [
  rule<Step[]>({
    id: "steps-increase",
    path: "spec.rollout.steps",
    validation: {
      rule: `${fallingSteps}.size() == 0`,
      message: "The weights of the steps must increase.",
      messageExpression: sentence`steps[${`self.indexOf(${fallingSteps}[0])`}].weight: ${`${fallingSteps}[0].weight`} is not above the step before it (${`self[self.indexOf(${fallingSteps}[0]) - 1].weight`}). Weights must increase; remove the step or raise it.`,
    },
    check: (list) => {
      const index = list.findIndex((step, i) => i > 0 && step.weight <= (list[i - 1]?.weight ?? 0));
      return index < 0
        ? undefined
        : `steps[${index}].weight: ${list[index]?.weight} is not above the step before it (${list[index - 1]?.weight}). Weights must increase; remove the step or raise it.`;
    },
    accepted: { spec: { rollout: { steps: steps(1, 2, 100) } } },
    refused: { spec: { rollout: { steps: steps(10, 50, 50, 100) } } },
    expect: "steps[2].weight: 50 is not above the step before it (50)",
  }),
  rule<Step[]>({
    id: "last-step-is-all",
    path: "spec.rollout.steps",
    validation: {
      rule: "self.size() == 0 || self[self.size() - 1].weight == 100",
      message: "The last step must have weight 100.",
      messageExpression: sentence`the last step ${"self[self.size() - 1].name"} has weight ${"self[self.size() - 1].weight"}; the last step has all of the traffic. Add a step with weight 100.`,
    },
    check: (list) => {
      const last = list.at(-1);
      return last === undefined || last.weight === 100
        ? undefined
        : `the last step ${last.name} has weight ${last.weight}; the last step has all of the traffic. Add a step with weight 100.`;
    },
    accepted: { spec: { rollout: { steps: steps(100) } } },
    refused: { spec: { rollout: { steps: steps(10, 50) } } },
    expect: "the last step s1 has weight 50",
  }),
  rule<Analysis>({
    id: "analysis-from",
    path: "spec.rollout.analysis",
    validation: { rule: `!has(self.from) || (${atDefault})`, message: WHOLE, fieldPath: ".from" },
    check: (analysis) => (analysis.from === undefined || saysNothing(analysis) ? undefined : WHOLE),
    accepted: { spec: { rollout: { analysis: { from: "strict" } } } },
    refused: { spec: { rollout: { analysis: { from: "strict", falseRollback: "2%" } } } },
    expect: "from takes the whole analysis",
  }),
  rule<Rollout>({
    id: "replicas-without-weight",
    path: "spec.rollout",
    validation: {
      rule: `self.traffic.router != 'Replicas' || self.steps.all(s, ${withoutWeight})`,
      message: "With router Replicas only a step of weight 0 can have replicas.",
      messageExpression: sentence`steps: ${`${pinnedStep}.name`} has weight ${`${pinnedStep}.weight`} and replicas ${`${pinnedStep}.replicas`}, but with router Replicas the share of the pods is the share of the traffic. Remove replicas, or set the weight to 0.`,
      fieldPath: ".steps",
    },
    check: ({ traffic, steps }) => {
      const step = steps.find(({ weight, replicas }) => replicas !== undefined && weight > 0);
      return traffic.router !== "Replicas" || step === undefined
        ? undefined
        : `steps: ${step.name} has weight ${step.weight} and replicas ${step.replicas}, but with router Replicas the share of the pods is the share of the traffic. Remove replicas, or set the weight to 0.`;
    },
    accepted: { spec: { rollout: { steps: [{ name: "dark", weight: 0, replicas: 2 }, ...steps(50, 100)] } } },
    refused: {
      spec: { rollout: { steps: [{ name: "tenth", weight: 10, replicas: 2 }, ...steps(50, 100)] } },
    },
    expect: "steps: tenth has weight 10 and replicas 2",
  }),
  marginOrder("errors", (margins) => margins),
  marginOrder("latency", (margins) => ({ objective: "120ms", ...margins })),
  increaseOrder("errors", (margins) => margins),
  increaseOrder("latency", (margins) => ({ objective: "120ms", ...margins })),
  probability("falseRollback"),
  probability("falsePromotion"),
];

interface Ordered {
  readonly metadata: { readonly name: string };
  readonly spec: Pick<LLMBridgeSpec, "rollout">;
}

/** A circle of one; longer ones are seen only by the operator. */
export const ORDER_RULES: readonly Rule[] = [
  rule<Ordered>({
    id: "after-others",
    path: "",
    validation: {
      rule: "!has(self.spec.rollout.after) || !(self.metadata.name in self.spec.rollout.after)",
      message: "A bridge cannot come after itself.",
      messageExpression: sentence`"${"self.metadata.name"}" is this bridge, which cannot come after itself; remove the name.`,
      fieldPath: ".spec.rollout.after",
    },
    check: ({ metadata: { name }, spec: { rollout } }) =>
      rollout.after?.includes(name)
        ? `"${name}" is this bridge, which cannot come after itself; remove the name.`
        : undefined,
    accepted: { name: "chat", spec: { rollout: { after: ["search"] } } },
    refused: { name: "chat", spec: { rollout: { after: ["search", "chat"] } } },
    expect: '"chat" is this bridge',
  }),
];

/** Stable pods from which one pod is at most this percentage of all: 1 / (S + 1) <= w. */
function leastReplicasFor(weight: number): number {
  return Math.ceil(100 / Math.min(weight, 100 - weight)) - 1;
}

const replicas = "(self.scaling.mode == 'Managed' ? self.scaling.minReplicas : self.replicas)";
const smallerPart = "(s.weight <= 50 ? s.weight : 100 - s.weight)";
const tooFine = `self.rollout.steps.filter(s, s.weight > 0 && s.weight < 100 && ${smallerPart} * (${replicas} + 1) < 100)`;
const least = "((100 + w - 1) / w - 1)";
const replicasField = "(self.scaling.mode == 'Managed' ? 'scaling.minReplicas' : 'replicas')";
const stepNeeds = sentence`step ${"s.name"} with weight ${"s.weight"} needs ${least} pods of the stable version (one pod in ${`${least} + 1`} is the smallest share), but ${replicasField} is ${replicas}; raise it, change the weight, or set rollout.traffic.whenTooFewPods to AddPods.`;

/** A weight that the pods cannot give, for those who want no other pods and no other weight. */
export const REFUSE_RULES: readonly Rule[] = [
  rule<LLMBridgeSpec>({
    id: "weight-within-pods",
    path: "spec",
    validation: {
      rule: `self.rollout.traffic.whenTooFewPods != 'Refuse' || self.rollout.strategy != 'Canary' || ${replicas} == 0 || ${tooFine}.size() == 0`,
      message: "With whenTooFewPods Refuse every weight must be one that the pods can give.",
      messageExpression: `${tooFine}.map(s, [${smallerPart}].map(w, ${stepNeeds})[0])[0]`,
      fieldPath: ".rollout.steps",
    },
    check: ({ rollout, scaling, replicas: fixed }) => {
      const count = scaling.mode === "Managed" ? scaling.minReplicas : fixed;
      const { traffic, strategy } = rollout;
      if (traffic.whenTooFewPods !== "Refuse" || strategy !== "Canary" || count === 0) return undefined;
      const step = rollout.steps.find(
        ({ weight }) => weight > 0 && weight < 100 && leastReplicasFor(weight) > count,
      );
      if (step === undefined) return undefined;
      const field = scaling.mode === "Managed" ? "scaling.minReplicas" : "replicas";
      const needed = leastReplicasFor(step.weight);
      return `step ${step.name} with weight ${step.weight} needs ${needed} pods of the stable version (one pod in ${needed + 1} is the smallest share), but ${field} is ${count}; raise it, change the weight, or set rollout.traffic.whenTooFewPods to AddPods.`;
    },
    accepted: {
      spec: {
        scaling: { minReplicas: 9, maxReplicas: 20 },
        rollout: { traffic: { whenTooFewPods: "Refuse" }, steps: steps(10, 90, 100) },
      },
    },
    refused: { spec: { rollout: { traffic: { whenTooFewPods: "Refuse" }, steps: steps(10, 100) } } },
    expect: "step s0 with weight 10 needs 9 pods of the stable version",
  }),
];
