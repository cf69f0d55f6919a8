import type { ExternalGate } from "../../api/v1alpha1/gates.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { GateStatus, LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import type { WebhookQuestion } from "../../gates/calls.ts";
import type { GateQuestion } from "../../gates/question.ts";
import { stepsOf } from "../../rollout/plan.ts";
import type { AdministratorSettings } from "../../settings/file.ts";
import { type BridgeRef, canaryService, productionService } from "../names.ts";

/** What the administrator's settings say of gates. */
export type GateSettings = Pick<AdministratorSettings, "gateWebhooks" | "gateJobs">;

/** A gate that is in the book, as it is defined now. */
export interface Booked {
  readonly gate: ExternalGate;
  readonly entry: GateStatus;
  readonly question: GateQuestion;
}

/** The gates of the book, as it is stored. A gate that the spec has no more is left out. */
export function bookedGates(bridge: BridgeRef, spec: LLMBridgeSpec, status: LLMBridgeStatus): Booked[] {
  const { gates = [], canaryRevision: revision, stableRevision, stepName } = status.rollout ?? {};
  const step = stepsOf(spec.rollout).find(({ name }) => name === stepName);
  if (revision === undefined || stableRevision === undefined || step === undefined) return [];
  return gates.flatMap((entry) => {
    const gate = spec.rollout.gates.find(({ name }) => name === entry.name);
    const { since, until } = entry;
    const question: GateQuestion = {
      gate: entry.name,
      ...{ bridge, revision, stableRevision, since, until },
      image: status.canary?.image ?? "",
      step: { name: step.name, weight: step.weight },
      canaryUrl: `http://${canaryService(bridge.name)}.${bridge.namespace}.svc`,
      stableUrl: `http://${productionService(bridge.name)}.${bridge.namespace}.svc`,
    };
    return gate ? [{ gate, entry, question }] : [];
  });
}

/** What is to be asked of webhooks. */
export function webhookQuestions(booked: readonly Booked[]): WebhookQuestion[] {
  return booked.flatMap(({ gate: { webhook }, entry, question }) =>
    webhook && entry.state === "Asked"
      ? [{ ...question, receiver: webhook.receiver, timeoutMs: durationMs(webhook.timeout) }]
      : [],
  );
}

/** Why the spec's gates are not permitted, if so. */
export function gateProblem(
  { rollout }: LLMBridgeSpec,
  namespace: string,
  { gateWebhooks, gateJobs }: GateSettings,
): string | undefined {
  const isOpen = ({ allowedNamespaces }: { readonly allowedNamespaces: readonly string[] }): boolean =>
    allowedNamespaces.includes("*") || allowedNamespaces.includes(namespace);
  for (const [index, { webhook, job }] of rollout.gates.entries()) {
    const path = `spec.rollout.gates[${index}]`;
    const receiver = gateWebhooks.find(({ name }) => name === webhook?.receiver);
    if (webhook && !receiver)
      return `${path}.webhook.receiver: "${webhook.receiver}" is not in the operator's settings; ask the administrator to add it to gateWebhooks.`;
    if (receiver && !isOpen(receiver))
      return `${path}.webhook.receiver: "${receiver.name}" is not open to this namespace; ask the administrator to add it to allowedNamespaces.`;
    if (job && !gateJobs)
      return `${path}.job: gates may run no Jobs here; ask the administrator to set settings.gateJobs: {} in the values of the operator's chart, or use a webhook.`;
    if (job && gateJobs && !isOpen(gateJobs))
      return `${path}.job: gates of this namespace may run no Jobs; ask the administrator to add it to gateJobs.allowedNamespaces, or use a webhook.`;
  }
  return undefined;
}
