import { GATE_METRIC_UNITS, type Gate } from "../rollout.ts";
import { type Rule, rule } from "./rule.ts";
import { hasUnit, UNITS, unitRule, unitWords } from "./units.ts";

const gates = (gate: Record<string, unknown>) => ({
  spec: { rollout: { analysis: { gates: [{ name: "g", ...gate }] } } },
});

const limitUnit = (field: "below" | "above"): Rule =>
  rule<Gate>({
    id: `gate-${field}-unit`,
    path: "spec.rollout.analysis.gates[]",
    validation: {
      rule: `!has(self.${field}) || ${unitRule(GATE_METRIC_UNITS, `self.${field}`)}`,
      message: "The limit is not written in the unit of the metric.",
      messageExpression: `'"' + self.${field} + '" does not fit ' + self.metric + '; write ' + ${unitWords(GATE_METRIC_UNITS)} + '.'`,
      fieldPath: `.${field}`,
    },
    check: (gate) => {
      const limit = gate[field];
      const unit = GATE_METRIC_UNITS[gate.metric];
      return limit === undefined || hasUnit(unit, limit)
        ? undefined
        : `"${limit}" does not fit ${gate.metric}; write ${UNITS[unit].words}.`;
    },
    accepted: gates({ metric: "RequestsPerCpuSecond", [field]: "300" }),
    refused: gates({ metric: "MemoryPerPod", [field]: "120ms" }),
    expect: '"120ms" does not fit MemoryPerPod; write bytes such as 512Mi',
  });

/** Limits that a step must keep. */
export const GATE_RULES: readonly Rule[] = [
  rule<Gate>({
    id: "gate-has-limit",
    path: "spec.rollout.analysis.gates[]",
    validation: {
      rule: "has(self.below) || has(self.above) || has(self.maxIncrease) || has(self.minDecrease)",
      message: "A gate needs a limit.",
      messageExpression:
        "'gate ' + self.name + ' compares nothing; add one of below, above, maxIncrease and minDecrease.'",
    },
    check: ({ name, below, above, maxIncrease, minDecrease }) =>
      (below ?? above ?? maxIncrease ?? minDecrease) !== undefined
        ? undefined
        : `gate ${name} compares nothing; add one of below, above, maxIncrease and minDecrease.`,
    accepted: gates({ metric: "MemoryPerPod", maxIncrease: "150%" }),
    refused: gates({ metric: "MemoryPerPod" }),
    expect: "gate g compares nothing",
  }),
  rule<Gate>({
    id: "gate-one-comparison",
    path: "spec.rollout.analysis.gates[]",
    validation: {
      rule: "!has(self.maxIncrease) || !has(self.minDecrease)",
      message: "maxIncrease and minDecrease exclude each other.",
      messageExpression:
        "'gate ' + self.name + ' has maxIncrease and minDecrease, of which the second asks for more; keep one of them.'",
    },
    check: ({ name, maxIncrease, minDecrease }) =>
      maxIncrease === undefined || minDecrease === undefined
        ? undefined
        : `gate ${name} has maxIncrease and minDecrease, of which the second asks for more; keep one of them.`,
    accepted: gates({ metric: "MemoryPerPod", minDecrease: "30%", below: "400Mi" }),
    refused: gates({ metric: "MemoryPerPod", minDecrease: "30%", maxIncrease: "10%" }),
    expect: "keep one of them",
  }),
  limitUnit("below"),
  limitUnit("above"),
];
