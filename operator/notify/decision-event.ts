import { createHash } from "node:crypto";
import type { DecisionStatus, LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import { type Severity, severityOf } from "./severity.ts";

export interface NotifiedBridge {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A decision as receivers are told of it: what was decided, and the numbers that it rests on. */
export interface DecisionEvent {
  /** The same for the same decision, whoever sends it and however often. */
  readonly id: string;
  readonly timeMs: number;
  readonly bridge: NotifiedBridge;
  readonly severity: Severity;
  readonly decision: DecisionStatus;
  readonly status: Pick<
    LLMBridgeStatus,
    "phase" | "summary" | "step" | "stable" | "canary" | "verdicts" | "scaling"
  >;
}

export function decisionEvent(
  bridge: NotifiedBridge,
  decision: DecisionStatus,
  status: LLMBridgeStatus,
): DecisionEvent {
  const { phase, summary, step, stable, canary, verdicts, scaling } = status;
  return {
    id: idOf(bridge, decision),
    timeMs: Date.parse(decision.time),
    bridge,
    severity: severityOf(decision),
    decision,
    status: { phase, summary, step, stable, canary, verdicts, scaling },
  };
}

/** From what is stored of the decision alone, so that an operator that was restarted gives it the same. */
function idOf({ uid }: NotifiedBridge, { time, action, reason, message }: DecisionStatus): string {
  const text = JSON.stringify([uid, time, action, reason, message]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
