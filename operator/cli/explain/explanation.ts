import type { BridgeView } from "../bridge-view.ts";
import type { ExplanationOutput } from "../outputs.ts";
import { possibleActions } from "./actions.ts";
import { comingUp } from "./next.ts";
import { outlookOf } from "./outlook.ts";
import { evidenceQueries } from "./queries.ts";
import { whatItWaitsFor } from "./waiting.ts";

/** Why a bridge is as it is: everything that `explain` tells, as values. `where`: see possibleActions. */
export function explanation(bridge: BridgeView, nowMs: number, where = ""): ExplanationOutput {
  const { metadata, status } = bridge;
  return {
    bridge: { namespace: metadata.namespace ?? "", name: metadata.name },
    phase: status.phase ?? "",
    summary: status.summary ?? "",
    ...whatItWaitsFor(bridge, nowMs),
    problems: (status.conditions ?? [])
      .filter(isWrong)
      .map(({ type, reason, message, lastTransitionTime }) => ({
        ...{ type, reason, message },
        since: lastTransitionTime,
      })),
    secrets: status.secrets ?? [],
    next: [...comingUp(bridge)],
    actions: [...possibleActions(bridge, where)],
    verdicts: (status.verdicts ?? []).map((verdict) => {
      const outlook = outlookOf(bridge, verdict);
      return outlook === undefined ? verdict : { ...verdict, outlook };
    }),
    gates: status.rollout?.gates ?? [],
    queries: [...evidenceQueries(bridge)],
    decisions: status.decisions ?? [],
  };
}

/** Conditions that are good when True; Progressing is False at rest, and Reconciling comes and goes. */
const GOOD: readonly string[] = [
  "Ready",
  "Accepted",
  "MetricsAvailable",
  "ScalingActive",
  "TuningApplied",
  "PodMonitorApplied",
  "RouteAccepted",
  "TakenOver",
];
/** Why ScalingActive may be False by the spec's own wish. */
const AS_ASKED: readonly string[] = ["Fixed", "External"];

type Condition = NonNullable<BridgeView["status"]["conditions"]>[number];

function isWrong({ type, status, reason }: Condition): boolean {
  if (type === "Stalled") return status === "True";
  return GOOD.includes(type) && status === "False" && !AS_ASKED.includes(reason);
}
