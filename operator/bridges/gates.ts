import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../api/v1alpha1/status.ts";
import type { GateCalls } from "../gates/calls.ts";
import type { ObjectKey } from "../kube/object.ts";
import type { GateAnswer } from "../rollout/gates/answer.ts";
import type { GateJobs } from "./gate-jobs.ts";
import type { BridgeRef } from "./names.ts";
import { bookedGates, type GateSettings, gateProblem, webhookQuestions } from "./observe/gates.ts";

/** Gates whose verdict comes from outside, as the passes of bridges see them. */
export interface Gates {
  /**
   * What is known of the gates that are asked for in the stored status. Sees to it that they are asked and no others; what comes of it later is told
   * to the listener.
   * @param spec undefined where it or the status cannot be read: then everything goes on as it is
   */
  look(
    bridge: BridgeRef,
    spec: LLMBridgeSpec | undefined,
    status: LLMBridgeStatus,
  ): { readonly answers: readonly GateAnswer[]; readonly problem: string | undefined };
  forget(key: ObjectKey): void;
  onAnswer(listener: (key: ObjectKey) => void): void;
}

export interface GatesOptions {
  readonly calls: GateCalls;
  readonly jobs: Pick<GateJobs, "look" | "forget" | "onAnswer">;
  /** What the administrator says of them, as of now. */
  readonly settings: () => GateSettings;
}

export function createGates({ calls, jobs, settings }: GatesOptions): Gates {
  return {
    look(bridge, spec, status) {
      if (!spec) return { answers: [], problem: undefined };
      const booked = bookedGates(bridge, spec, status, settings());
      return {
        answers: [
          ...calls.follow(bridge, webhookQuestions(booked)),
          ...jobs.look(bridge, booked, spec, status),
        ],
        problem: gateProblem(spec, bridge.namespace, settings()),
      };
    },
    forget(key) {
      calls.forget(key);
      jobs.forget(key);
    },
    onAnswer(listener) {
      calls.onAnswer(listener);
      jobs.onAnswer(listener);
    },
  };
}
