import { GROUP, VERSION } from "../api/v1alpha1/llmbridge.ts";
import type { DecisionEvent } from "./decision-event.ts";

/** The type of a decision's event: `dev.llmbridge.decision.scale-up`. */
export const cloudEventType = (action: string): string =>
  `dev.llmbridge.decision.${action.replace(/[A-Z]/g, (letter, at) => `${at === 0 ? "" : "-"}${letter.toLowerCase()}`)}`;

/** CloudEvents 1.0 in structured mode, so that a signature of the body covers the attributes too. */
export function cloudEvent({ id, bridge, severity, decision, status }: DecisionEvent): string {
  const { namespace, name, uid } = bridge;
  return JSON.stringify({
    specversion: "1.0",
    id,
    source: `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/llmbridges/${name}`,
    type: cloudEventType(decision.action),
    subject: `${namespace}/${name}`,
    time: decision.time,
    datacontenttype: "application/json",
    data: { bridge: { namespace, name, uid }, severity, decision, ...status },
  });
}
