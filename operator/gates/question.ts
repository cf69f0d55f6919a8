import { createHash } from "node:crypto";
import { GROUP, VERSION } from "../api/v1alpha1/llmbridge.ts";

/** What a gate is asked about one stay of a canary at a step. */
export interface GateQuestion {
  readonly gate: string;
  readonly bridge: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly revision: string;
  readonly image: string;
  readonly stableRevision: string;
  readonly step: { readonly name: string; readonly weight: number };
  /** When it was entered in the status, RFC 3339. */
  readonly since: string;
  /** Until when a verdict counts. */
  readonly until: string;
  /** Where the canary alone is reached, and the stable version alone. */
  readonly canaryUrl: string;
  readonly stableUrl: string;
}

/** From what is stored of the question alone, so that an operator that was restarted gives it the same. */
export function questionId({ bridge, revision, step, gate, since }: GateQuestion): string {
  const text = JSON.stringify([bridge.uid, revision, step.name, gate, since]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/**
 * The question as CloudEvents 1.0 in structured mode, as notifications are, so that a signature of the body covers all of it.
 * @param attempt 1 for the first try of this operator
 */
export function questionBody(question: GateQuestion, attempt: number): string {
  const { bridge, since, ...data } = question;
  const { namespace, name, uid } = bridge;
  return JSON.stringify({
    specversion: "1.0",
    id: questionId(question),
    source: `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/llmbridges/${name}`,
    type: "dev.llmbridge.gate.asked",
    subject: `${namespace}/${name}`,
    time: since,
    datacontenttype: "application/json",
    data: { bridge: { namespace, name, uid }, ...data, attempt },
  });
}
