import { ALERT_RULES } from "./alerts.ts";
import { BACKEND_RULES } from "./backends.ts";
import { BASELINE_RULES } from "./baseline.ts";
import { DURATION_RULES } from "./durations.ts";
import { EXTERNAL_GATE_RULES } from "./external-gates.ts";
import { GATE_RULES } from "./gates.ts";
import { METADATA_RULES } from "./metadata.ts";
import { MIRROR_RULES } from "./mirror.ts";
import { POD_RULES } from "./pod.ts";
import { REFERENCE_RULES } from "./references.ts";
import { RESOURCE_RULES } from "./resources.ts";
import { ORDER_RULES, REFUSE_RULES, ROLLOUT_RULES } from "./rollout.ts";
import type { Rule } from "./rule.ts";
import { SCALING_RULES } from "./scaling.ts";
import { TAKE_OVER_RULES } from "./take-over.ts";
import { TRAFFIC_RULES } from "./traffic.ts";
import { TUNING_RULES } from "./tuning.ts";

/** Every rule of v1alpha1 in the order in which the CRD lists them. */
export const RULES: readonly Rule[] = [
  ...METADATA_RULES,
  ...RESOURCE_RULES,
  ...TUNING_RULES,
  ...BACKEND_RULES,
  ...SCALING_RULES,
  ...ALERT_RULES,
  ...ROLLOUT_RULES,
  ...BASELINE_RULES,
  ...ORDER_RULES,
  ...REFUSE_RULES,
  ...TRAFFIC_RULES,
  ...MIRROR_RULES,
  ...TAKE_OVER_RULES,
  ...GATE_RULES,
  ...EXTERNAL_GATE_RULES,
  ...DURATION_RULES,
  ...POD_RULES,
  ...REFERENCE_RULES,
];
