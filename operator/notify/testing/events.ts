import type { DecisionStatus, LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import { llmBridgeStatus } from "../../api/v1alpha1/status.ts";
import { type DecisionEvent, decisionEvent } from "../decision-event.ts";

export const BRIDGE = { namespace: "ai", name: "chat", uid: "5f0c2e52-0000-4000-8000-000000000001" };

export const decision = (more: Partial<DecisionStatus> = {}): DecisionStatus => ({
  time: "2026-01-02T03:04:05.678Z",
  action: "Rollback",
  reason: "ErrorsProvedWorse",
  message: "Revision d04be8 is rolled back: errors +5.1pp [+3.2, +7.0], n=610.",
  refused: ["hold where it is: spec.rollout.onFailure is Rollback"],
  ...more,
});

/** A bridge whose canary has just been found worse. */
export const status = (more: object = {}): LLMBridgeStatus =>
  llmBridgeStatus.parse({
    phase: "Aborting",
    summary: "Withdrawing canary d04be8.",
    stable: { revision: "7c9f21", image: "bridge:1.4.0", replicas: 10, ready: 10, desiredWeight: 90 },
    canary: { revision: "d04be8", image: "bridge:1.5.0", replicas: 2, ready: 2, desiredWeight: 10 },
    step: { name: "tenth", index: 0, count: 3, weight: 10 },
    verdicts: [
      {
        ...{ signal: "errors", category: "ProvedWorse", estimate: "+5.1pp", interval: "[+3.2, +7.0]" },
        ...{ samples: 610, message: "errors +5.1pp [+3.2, +7.0], n=610" },
      },
    ],
    ...more,
  });

export const event = (more: Partial<DecisionEvent> = {}): DecisionEvent => ({
  ...decisionEvent(BRIDGE, decision(), status()),
  ...more,
});
