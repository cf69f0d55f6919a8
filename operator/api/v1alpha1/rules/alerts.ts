import { ALERT_METRIC_UNITS, type Alert } from "../scaling.ts";
import { type Rule, rule } from "./rule.ts";
import { hasUnit, UNITS, unitRule, unitWords } from "./units.ts";

const alerts = (alert: Record<string, unknown>) => ({ spec: { alerts: [{ name: "a", ...alert }] } });
const threshold = "(has(self.above) ? self.above : has(self.below) ? self.below : '')";

/** The alert table. */
export const ALERT_RULES: readonly Rule[] = [
  rule<Alert>({
    id: "alert-one-threshold",
    path: "spec.alerts[]",
    validation: {
      rule: "has(self.above) != has(self.below)",
      message: "An alert needs exactly one of above and below.",
      messageExpression: "'alert ' + self.name + ' needs exactly one of above and below.'",
    },
    check: ({ name, above, below }) =>
      (above === undefined) !== (below === undefined)
        ? undefined
        : `alert ${name} needs exactly one of above and below.`,
    accepted: alerts({ metric: "GcTimeShare", above: "5%" }),
    refused: alerts({ metric: "GcTimeShare", above: "5%", below: "1%" }),
    expect: "alert a needs exactly one of above and below",
  }),
  rule<Alert>({
    id: "alert-unit",
    path: "spec.alerts[]",
    validation: {
      rule: `has(self.above) == has(self.below) || ${unitRule(ALERT_METRIC_UNITS, threshold)}`,
      message: "The threshold is not written in the unit of the metric.",
      messageExpression: `'"' + ${threshold} + '" does not fit ' + self.metric + '; write ' + ${unitWords(ALERT_METRIC_UNITS)} + '.'`,
    },
    check: ({ metric, above, below }) => {
      const value = above ?? below ?? "";
      const unit = ALERT_METRIC_UNITS[metric];
      return (above === undefined) === (below === undefined) || hasUnit(unit, value)
        ? undefined
        : `"${value}" does not fit ${metric}; write ${UNITS[unit].words}.`;
    },
    accepted: alerts({ metric: "FirstByteP95", above: "250ms" }),
    refused: alerts({ metric: "FirstByteP95", above: "5%" }),
    expect: '"5%" does not fit FirstByteP95; write a duration such as 120ms',
  }),
  rule<Alert>({
    id: "alert-direction",
    path: "spec.alerts[]",
    validation: {
      rule: "self.metric == 'PoolHitRate' || ((self.action != 'ScaleDown' || !has(self.above)) && (self.action != 'ScaleUp' || !has(self.below)))",
      message: "ScaleUp acts on a value that is too high, ScaleDown on one that is low.",
      messageExpression:
        "'alert ' + self.name + ' would ' + (self.action == 'ScaleDown' ? 'take capacity away when ' + self.metric + ' is high; write below' : 'add capacity when ' + self.metric + ' is low; write above') + ', or choose another action.'",
      fieldPath: ".action",
    },
    check: ({ name, metric, action, above, below }) => {
      if (metric === "PoolHitRate") return undefined;
      if (action === "ScaleDown" && above !== undefined)
        return `alert ${name} would take capacity away when ${metric} is high; write below, or choose another action.`;
      if (action === "ScaleUp" && below !== undefined)
        return `alert ${name} would add capacity when ${metric} is low; write above, or choose another action.`;
      return undefined;
    },
    accepted: alerts({ metric: "Utilization", below: "20%", action: "ScaleDown" }),
    refused: alerts({ metric: "Utilization", above: "80%", action: "ScaleDown" }),
    expect: "would take capacity away when Utilization is high",
  }),
];
