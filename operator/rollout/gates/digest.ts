import { createHash } from "node:crypto";
import type { ExternalGate } from "../../api/v1alpha1/gates.ts";
import type { GateStatus } from "../../api/v1alpha1/status.ts";

/** What a gate asks whom: with another digest it is another question. How long it may take and what follows is not part of it. */
export function digestOf({ webhook, job }: ExternalGate): string {
  const asked = webhook ? { receiver: webhook.receiver } : { job };
  return createHash("sha256").update(JSON.stringify(asked)).digest("hex").slice(0, 10);
}

export const kindOf = ({ webhook }: ExternalGate): GateStatus["kind"] => (webhook ? "Webhook" : "Job");
